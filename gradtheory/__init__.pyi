"""The public names of gradtheory: the wings that are public as a whole, then the others wing by wing.

lazy_loader reads this file, and imports each name when it is first used.
"""

from . import checker as checker
from . import errors as errors
from . import plots as plots
from . import testing as testing
from .activations import Activation as Activation
from .activations import activation as activation
from .activations import activation_names as activation_names
from .activations import activation_parameters as activation_parameters
from .activations import expression as expression
from .arithmetic.estimates import Estimates as Estimates
from .arithmetic.guarantee import Estimate as Estimate
from .arithmetic.guarantee import Guarantee as Guarantee
from .arithmetic.guarantee import guarantee as guarantee
from .arithmetic.root import Root as Root
from .audits import Audit as Audit
from .audits import audit as audit
from .audits import monitor as monitor
from .chains.chain import Chain as Chain
from .derivation import Derivation as Derivation
from .derivation import derive as derive
from .derivation import fact as fact
from .explosion import ExplosionFormula as ExplosionFormula
from .explosion import WidestExplosion as WidestExplosion
from .explosion import arrays as arrays
from .explosion import critical_weight as critical_weight
from .explosion import exploding_biases as exploding_biases
from .explosion import exploding_weights as exploding_weights
from .explosion import explosion_formula as explosion_formula
from .explosion import explosion_set as explosion_set
from .explosion import explosion_width as explosion_width
from .explosion import widest_explosion as widest_explosion
from .explosion.certificate import certificate as certificate
from .explosion.depth import DepthBound as DepthBound
from .explosion.depth import TwoPoint as TwoPoint
from .explosion.depth import WidestTotalExplosion as WidestTotalExplosion
from .explosion.depth import depth_bound as depth_bound
from .explosion.depth import two_point as two_point
from .explosion.depth import widest_total_explosion as widest_total_explosion
from .explosion.whole_chain import exploding_parameter as exploding_parameter
from .explosion.whole_chain import total_explosion_bound as total_explosion_bound
from .explosion.whole_chain import total_explosion_set as total_explosion_set
from .explosion.whole_chain import total_explosion_theorem as total_explosion_theorem
from .networks import Network as Network
from .networks import curvature as curvature
from .networks.bounds.region import ExplosionRegion as ExplosionRegion
from .networks.bounds.region import explosion_region as explosion_region
from .pages import article as article
from .pages import atlas as atlas
from .pages import gains as gains
from .random_weights import gaussian as gaussian
from .random_weights import initialisation as initialisation
from .random_weights import meanfield as meanfield
from .random_weights import simulation as simulation
from .random_weights.architectures import Architecture as Architecture
from .random_weights.architectures import Growth as Growth
from .random_weights.architectures import architecture as architecture
from .random_weights.architectures import blocks as blocks
from .random_weights.lyapunov import factor_probability as factor_probability
from .random_weights.lyapunov import largest_lyapunov_exponent as largest_lyapunov_exponent
from .random_weights.lyapunov import lyapunov_exponent as lyapunov_exponent
from .random_weights.overflow import overflow_depth as overflow_depth
from .random_weights.overflow import overflow_growth as overflow_growth
from .sweeps import sweep as sweep
from .testing import strategies as strategies
from .training import optimisers as optimisers
from .training import remedies as remedies
from .training import train as train
from .training.advice import advise as advise
from .training.remedies import compare_activations as compare_activations
from .training.stability import largest_stable_step as largest_stable_step
from .training.stability import stability_region as stability_region

__version__: str
