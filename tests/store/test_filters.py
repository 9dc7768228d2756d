"""The filter language: what it reads, and where it says what it cannot read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider_server.filters import (
    Both,
    Compare,
    Either,
    Field,
    FilterError,
    Not,
    parse,
    parse_sort,
)


def test_and_binds_closer_than_or_and_not_closer_still() -> None:
    a, b, c = (Compare(Field("config", key), "=", 1.0) for key in "abc")
    assert parse("config.a = 1 or config.b = 1 and not config.c = 1") == Either(
        (a, Both((b, Not(c))))
    )


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("config.a.b-c/d_e = 1", "a.b-c/d_e"),
        ('config."with space" = 1', "with space"),
        ("config.'it''s' = 1", None),
        (r'config."a \"b\" \\" = 1', 'a "b" \\'),
        ('"config.with space" = 1', "with space"),
        ("config.größe = 1", "größe"),
    ],
)
def test_keys_may_be_quoted(text: str, key: str | None) -> None:
    if key is None:
        with pytest.raises(FilterError):
            parse(text)
    else:
        assert parse(text) == Compare(Field("config", key), "=", 1.0)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1.0), ("-1.5e-3", -0.0015), (".5", 0.5), ('"x"', "x"), ("true", True), ("null", None)],
)
def test_values_are_numbers_texts_and_three_words(text: str, value: object) -> None:
    assert parse(f"config.a = {text}") == Compare(Field("config", "a"), "=", value)


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("config.lr <", 11, "a value is missing"),
        ("config.lr", 9, "an operator is missing"),
        ("config.lr < 0.1 and", 19, "a condition is missing"),
        ("config.lr < 0.1 state", 16, "'state' was not expected"),
        ("(config.lr < 0.1", 16, "a \\) is missing"),
        ("config.lr < 0.1)", 15, "'\\)' was not expected"),
        ("colour = 1", 0, "there is no 'colour'"),
        ("config. = 1", 0, "there is no 'config.'"),
        ("config.lr is 1", 10, "'is' where an operator"),
        ("state = running", 8, "'running' is no value"),
        ('state = "run', 8, "the text has no end"),
        ('config."lr = 1', 7, "the name has no end"),
        ("name ~ '('", 7, "not a regular expression"),
        ("name ~ 3", 7, "~ needs a text"),
        ('tags = "x"', 5, "does not go with"),
        ('name has "x"', 5, "does not go with"),
        ("tags has 3", 9, "has needs a text"),
        ("state > 3", 8, "state is a text"),
        ("created > 'x'", 10, "created is a number"),
        ("config.a < null", 11, "needs a number or a text"),
        ("= 1", 0, "where a name was expected"),
        ("(" * 100 + "state = 'x'", 51, "nested too deeply"),
        ("x" * 20_000, 10_000, "too long"),
    ],
)
def test_a_filter_that_cannot_be_read_says_where_and_why(
    text: str, position: int, says: str
) -> None:
    with pytest.raises(FilterError, match=says) as caught:
        parse(text)
    assert caught.value.position == position
    assert f"at character {position + 1}" in str(caught.value)


def test_a_text_without_quotes_is_hinted_at() -> None:
    with pytest.raises(FilterError) as caught:
        parse("state = running")
    assert caught.value.hint == 'a text needs quotes: "running"'


def place_of_failure(text: str) -> int:
    """Where a filter cannot be read; 0 where it can."""
    try:
        parse(text)
    except FilterError as error:
        return error.position
    return 0


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    assert 0 <= place_of_failure(text) <= len(text)


@given(
    st.lists(
        st.sampled_from(
            ["(", ")", "and", "or", "not", "config.a", "=", "<", "1", '"x"', "~", "has", "tags"]
        )
    )
)
def test_any_tokens_are_read_or_refused_with_a_place(tokens: list[str]) -> None:
    text = " ".join(tokens)
    assert 0 <= place_of_failure(text) <= len(text)


def test_a_sort_is_columns_with_a_minus_for_falling() -> None:
    assert parse_sort('-created, config."a,b",+summary.x') == [
        (Field("run", "created"), True),
        (Field("config", "a,b"), False),
        (Field("summary", "x"), False),
    ]
    with pytest.raises(FilterError, match="colour"):
        parse_sort("created,colour")
    with pytest.raises(FilterError, match="no order"):
        parse_sort("tags")
