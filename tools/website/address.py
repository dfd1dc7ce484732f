"""The public addresses, where they are known: until then no page shows one."""

from __future__ import annotations

from public_address import address

COLAB = "https://colab.research.google.com/github"


def repository() -> str:
    """The repository's address, or ""."""
    return address()


def pages() -> str:
    """Where GitHub Pages shows the site, with a closing slash, or ""."""
    place = repository().removeprefix("https://github.com/")
    owner, _, name = place.partition("/")
    if not name:
        return ""
    host = f"https://{owner.lower()}.github.io/"
    return host if f"{name.lower()}" == f"{owner.lower()}.github.io" else f"{host}{name}/"


def file(path: str) -> str:
    """Where GitHub shows a file of the repository, or ""."""
    return f"{repository()}/blob/main/{path}" if repository() else ""


def colab(path: str) -> str:
    """Where Colab opens a notebook of the repository, or ""."""
    place = repository().removeprefix("https://github.com/")
    return f"{COLAB}/{place}/blob/main/{path}" if place else ""
