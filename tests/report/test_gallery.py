"""The gallery in the documentation is of pictures that are there, and names its command."""

from gallery import GALLERY, page_of, shots

from upliftlab.simulate.worked import WORLDS


def test_every_page_has_its_pictures_and_the_documentation_shows_them():
    names = {picture.stem for picture in GALLERY.glob("*.webp")}
    assert names == {name for name, _, _ in shots()}
    assert {f"{world}_wide" for world in WORLDS} <= names
    shown = GALLERY.with_suffix(".md").read_text(encoding="utf-8")
    assert shown == page_of(sorted(names))
    assert "python tests/support/gallery.py" in shown
    assert sum(picture.stat().st_size for picture in GALLERY.glob("*.webp")) < 4_000_000
