"""Notes in Django's admin."""

from django.contrib import admin

from .models import Note


@admin.register(Note)
class NoteAdmin(admin.ModelAdmin):
    """The list of all users' notes."""

    list_display = ("title", "owner", "created")
    list_filter = ("owner",)
    search_fields = ("title",)
