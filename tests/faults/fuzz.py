"""Mistaken configs and states, and the check of what comes of them.

``TST_MM_FAULTS=full pytest tests/faults`` tries more than 10,000 cases.
"""

from copy import deepcopy

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from .harness import FULL

CASES = 10_500 if FULL else 350
DOCUMENTED = (KeyError, ValueError, TypeError, FileNotFoundError)

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-3, 12)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(['flipped', 'Rotate', 'random', 'none.pth', 'a://b', 1e400, 10**400])
)
JUNK = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=5,
)


def fuzz(share):
    """Run a test on this many of a hundred of the cases."""
    return settings(
        max_examples=CASES * share // 100,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],  # making a failing case smaller takes minutes with real networks
    )


@st.composite
def changed(draw, config):
    """A config with an entry replaced, removed or added, and the words that name the entry."""
    config = deepcopy(config)
    node, words = config, []
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            break
        key = draw(st.sampled_from(keys))
        words.append(str(key))
        if not isinstance(node[key], (dict, list)) or not node[key] or draw(st.booleans()):
            break
        node = node[key]
    how = draw(st.sampled_from(['replace', 'replace', 'remove', 'add']))
    value = draw(JUNK)
    if how == 'add' and isinstance(node, dict):
        name = draw(st.text(min_size=1, max_size=6))
        words.append(name)
        node[name] = value
    elif how == 'add':
        node.append(value)
    elif how == 'remove' and keys:
        del node[key]
    elif keys:
        node[key] = value
    return config, [*words, repr(value)]


def check(call, *args, words=(), **kwargs):
    """Call; an error must be documented, and name one of the words."""
    try:
        return call(*args, **kwargs)
    except DOCUMENTED as error:
        message = str(error.args[0] if isinstance(error, KeyError) else error)
        named = [word for word in words if word.rstrip('s') in message]
        assert named or not words, f'{type(error).__name__}: {message!r} names none of {words}'
        assert len(message) > 8, message
        return None
