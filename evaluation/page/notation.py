"""Numbers as readers see them: shares of 1 become percent, their differences points."""

from collections.abc import Callable, Sequence

from evaluation.statistics.estimates import Estimate

# Keeps a number and its unit on one line.
SPACE = "\N{NO-BREAK SPACE}"
WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def percent(share: float) -> str:
    """Return a share in percent with two decimals: 1.13."""
    return f"{100 * share:.2f}"


def with_unit(share: float) -> str:
    """Return a share in percent with its sign: 1.13 %."""
    return f"{percent(share)}{SPACE}%"


def interval_of(estimate: Estimate) -> str:
    """Return the interval of an estimate in percent: 0.87 to 1.40 %."""
    return f"{percent(estimate.low)} to {with_unit(estimate.high)}"


def signed(difference: float) -> str:
    """Return a difference in percentage points: +0.10, or 0.00 where it rounds to that."""
    text = f"{100 * difference:+.2f}"
    return "0.00" if float(text) == 0 else text


def shift(value: float) -> str:
    """Return a threshold's shift with its sign, or 0 where it rounds to that: -0.0315, 0."""
    text = f"{value:+.4f}"
    return "0" if float(text) == 0 else text


def finely(share: float) -> str:
    """Return a share in percent with four decimals, for shares near 100: 99.9876."""
    return f"{100 * share:.4f}"


def count(number: float) -> str:
    """Return a count with its thousands apart: 13,699,179."""
    return f"{number:,.0f}"


def scientific(number: float) -> str:
    """Return a small number with its power of ten, or 0: 1.4e-03, 0."""
    return f"{number:.1e}" if number else "0"


def rare(share: float) -> str:
    """Return a share in percent, told from none however small: 0, <0.01, 36.50."""
    if share == 0:
        return "0"
    return "<0.01" if share < 5e-5 else percent(share)


def bracketed(show: Callable[[float], str], value: float, low: float, high: float) -> str:
    """Return a number with its interval as terminals show it: 1.13 [0.87, 1.40]."""
    return f"{show(value)} [{show(low)}, {show(high)}]"


def in_words(number: int) -> str:
    """Return a count in words up to nine: three, 12."""
    return WORDS[number] if number < len(WORDS) else count(number)


def listed(names: Sequence[str]) -> str:
    """Return names as a sentence lists them: OIIDD, CCR and silhouette."""
    *before, last = names
    return f"{', '.join(before)} and {last}" if before else last
