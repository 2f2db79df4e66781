"""The public names of gradtheory, grouped as in the README; lazy_loader reads this file to import each on first use."""

# errors
# pictures and the article
# widths over whole arrays
from . import arrays as arrays
from . import article as article
from . import atlas as atlas

# proofs that others can check
from . import checker as checker
from . import curvature as curvature
from . import errors as errors

# wide layers, and expectations over Gaussian pre-activations
from . import gains as gains
from . import gaussian as gaussian
from . import initialisation as initialisation
from . import meanfield as meanfield
from . import optimisers as optimisers
from . import plots as plots
from . import remedies as remedies
from . import simulation as simulation

# a gradient oracle for other people's tests
from . import strategies as strategies
from . import testing as testing

# the catalogue
from .activations import Activation as Activation
from .activations import activation as activation
from .activations import activation_names as activation_names
from .activations import activation_parameters as activation_parameters
from .activations import expression as expression

# what is wrong with a chain, and what helps
from .advice import advise as advise
from .certificate import certificate as certificate

# the chain
from .chain import Chain as Chain

# derivations with checked steps
from .derivation import Derivation as Derivation
from .derivation import derive as derive
from .derivation import fact as fact

# where a factor explodes
from .explosion import ExplosionFormula as ExplosionFormula
from .explosion import WidestExplosion as WidestExplosion
from .explosion import critical_weight as critical_weight
from .explosion import explosion_formula as explosion_formula
from .explosion import explosion_set as explosion_set
from .explosion import explosion_width as explosion_width
from .explosion import widest_explosion as widest_explosion

# numbers with proven digits
from .guarantee import Estimate as Estimate
from .guarantee import Guarantee as Guarantee
from .guarantee import guarantee as guarantee

# chains of single neurons with random weights
from .lyapunov import factor_probability as factor_probability
from .lyapunov import largest_lyapunov_exponent as largest_lyapunov_exponent
from .lyapunov import lyapunov_exponent as lyapunov_exponent

# wide layers in NumPy
from .network import Network as Network
from .overflow import overflow_depth as overflow_depth
from .overflow import overflow_growth as overflow_growth
from .remedies import compare_activations as compare_activations
from .root import Root as Root

# training
from .stability import stability_region as stability_region

# where the whole gradient product explodes
from .total import total_explosion_bound as total_explosion_bound
from .total import total_explosion_set as total_explosion_set
from .training import train as train

__version__: str
