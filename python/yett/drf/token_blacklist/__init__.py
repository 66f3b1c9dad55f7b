"""The blacklist app: tokens that were issued, and those of them that were revoked.

Its label, tables and migrations are those of `rest_framework_simplejwt.token_blacklist`, so a
database that simplejwt has filled goes on as it is. A project that takes this app looks into
the blacklist at each use of a refresh or sliding token; access tokens are never looked up.
"""

#: What Django before 3.2 read; simplejwt has it, under the name by which it is imported.
default_app_config = f"{__name__.removesuffix('.__init__')}.apps.TokenBlacklistConfig"
