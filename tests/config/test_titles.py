"""Titles in several languages: from the YAML to the pages of each language."""

from __future__ import annotations

import copy
import pickle

import pytest
from pydantic import BaseModel, ValidationError

from upliftlab.config.models.title import LANGUAGES, Title, TitleText
from upliftlab.text.language import CODES


class Named(BaseModel):
    title: TitleText | None = None


def test_pages_speak_the_languages_that_titles_may_have():
    assert LANGUAGES == CODES


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))]
)
def test_a_title_is_a_text_that_keeps_its_languages(copied):
    title = copied(Title({"zh": "优惠券", "en": "Voucher"}))
    assert title == "Voucher"
    assert title.said == {"zh": "优惠券", "en": "Voucher"}
    assert Title({"zh": "优惠券"}) == "优惠券"


@pytest.mark.parametrize(
    "written", ["Voucher", {"en": "Voucher", "zh": "优惠券"}, {"zh": "优惠券"}]
)
def test_a_title_is_written_as_it_was_declared(written):
    named = Named.model_validate({"title": written})
    assert named.model_dump(mode="json") == {"title": written}
    assert Named.model_validate(named.model_dump()).model_dump() == {"title": written}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({}, "one by language"),
        (["Voucher"], "one by language"),
        ({"fr": "Bon"}, "pages speak en and zh, not 'fr'"),
        ({"en": None}, "the title in 'en' is no text"),
        ({"en": "Voucher", "zh": " "}, "the title in 'zh' is no text"),
    ],
)
def test_what_is_no_title_is_refused_with_the_line_to_write(wrong, said):
    with pytest.raises(ValidationError, match=said) as refused:
        Named.model_validate({"title": wrong})
    assert "title: {en: Voucher, zh: 优惠券}" in str(refused.value)
