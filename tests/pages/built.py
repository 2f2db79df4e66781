"""The article in each language, built once in a process."""

import functools

from gradtheory.pages import article

built = functools.cache(article.build)
