"""JSON Web Tokens for Django REST Framework, in the shapes of simplejwt.

The modules carry the names of `rest_framework_simplejwt`: a project changes the import
path and keeps its `SIMPLE_JWT` settings, its tokens and its clients. No entry in
`INSTALLED_APPS` is needed. Proving and signing is done by the Rust library in
`yett._yett`; PyJWT is not used.

Not here yet, and refused loudly where leaving it out would be unsafe: algorithms other
than HS256, and the `token_blacklist` app with its view and serializer.
"""
