"""What mkdocs asks while it builds the site: pages that are written anew each time, and what they need to fit in.

Nothing that the software says of itself is kept twice: rules, labs, options, JSON fields and names are read from the
package at build time, without loading torch. Pages outside `docs/` come in by a name of their own.
"""

import pathlib
import posixpath
import re
from typing import Any

from command_pages import command_pages
from field_tables import with_fields
from lab_pages import lab_pages
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from reference_pages import reference_pages
from rule_pages import rule_pages, with_rule_links

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
FROM_OUTSIDE = {"changelog.md": "CHANGELOG.md", "contributing.md": "CONTRIBUTING.md"}
"""Pages that stand at the repository's root, by their name in the site."""
RIGHT_TO_LEFT = "fa/"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Write the pages, and give each its place in the navigation."""
    reader = config.plugins["mkdocstrings"].get_handler("python")  # the sources are read once, for its pages and ours
    package = reader.collect("thalweg", reader.get_options({}))
    labs, rules, reference = lab_pages(REPOSITORY), rule_pages(), reference_pages(package)
    config.extra["written"] = {**labs, **rules, **command_pages(), **reference}
    decisions = sorted(f"decisions/{path.name}" for path in (REPOSITORY / "docs" / "decisions").glob("0*.md"))
    _extend(config.nav, "Labs", ["lab.md", *labs])
    _extend(config.nav, "Rules", list(rules))
    _extend(config.nav, "Reference", [name for name in reference if "/rooms/" not in name])
    _extend(config.nav, "Reference", [{"Every name, room by room": [name for name in reference if "/rooms/" in name]}])
    _extend(config.nav, "The house", [{"Decisions": ["decisions/README.md", *decisions]}])
    return config


def _extend(nav: Any, title: str, pages: list[Any]) -> None:
    for entry in nav:
        if title in entry:
            entry[title] = pages if isinstance(entry[title], str) else [*entry[title], *pages]
            return
    raise KeyError(f"mkdocs.yml has no part {title!r} in its nav")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Let the written pages stand beside those of `docs/`."""
    for name, text in config.extra.pop("written").items():
        files.append(File.generated(config, name, content=text))
    for name, source in FROM_OUTSIDE.items():
        files.append(File.generated(config, name, content=(REPOSITORY / source).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links to where a page lies in the site, and take out what only a page without a layout needs."""
    del config, files
    name = page.file.src_uri
    markdown = re.sub(r"(?<=\]\()([^)#\s]+)", lambda link: _in_site(name, link[1]), markdown)
    if name.startswith(RIGHT_TO_LEFT):
        markdown = re.sub(r"^</?div.*>\n", "", markdown, flags=re.MULTILINE)
    if name == "lab.md":
        markdown = re.sub(r"^- \*\*([\w-]+)\*\*:", r"- **[\1](labs/\1.md)**:", markdown, flags=re.MULTILINE)
    if name == "diagnose.md":
        markdown = with_rule_links(markdown)
    return with_fields(markdown, REPOSITORY) if name == "interface.md" else markdown


def on_page_content(html: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let a Persian page read from the right; its navigation stays as it is."""
    del config, files
    if page.file.src_uri.startswith(RIGHT_TO_LEFT):
        return f'<div dir="rtl" lang="fa">\n{html}\n</div>'
    return re.sub(r"(<table>.*?</table>)", r'<div class="wide" tabindex="0">\1</div>', html, flags=re.DOTALL)


def on_post_build(*, config: MkDocsConfig) -> None:
    """Let pages that are opened as files search, too: a file may run a script, and read no other file."""
    index = pathlib.Path(config.site_dir, "search", "search_index.json")
    index.with_suffix(".js").write_text(f"var __index = {index.read_text(encoding='utf-8')}", encoding="utf-8")


def _in_site(page: str, target: str) -> str:
    """A link as it has to stand in the site's page; mkdocs says which lead nowhere."""
    if "://" in target or target.startswith("mailto:"):
        return target
    source = FROM_OUTSIDE.get(page, f"docs/{page}")
    wanted = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
    names = {there: here for here, there in FROM_OUTSIDE.items()} | {"README.md": "index.md"}
    if wanted in names:
        inside = names[wanted]
    elif wanted.startswith("docs/"):
        inside = wanted.removeprefix("docs/")
        if (REPOSITORY / wanted).is_dir():
            inside = posixpath.join(inside, "README.md")
    else:
        return target
    return posixpath.relpath(inside, posixpath.dirname(page) or ".")
