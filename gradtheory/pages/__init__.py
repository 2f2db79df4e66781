"""Pages that are generated: the article, the atlas of activations, the table of gains."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, ["article", "atlas", "gains"])
