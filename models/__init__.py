"""The catalogue: laws, observation models, pooling structures, priors, and published studies.

On disk this folder is ``models/``; installed, it is the package ``bayes_scaling.models``.
"""

if __name__ != "bayes_scaling.models":
    raise ImportError("import bayes_scaling.models, not the folder models/: run pip install -e .")

from bayes_scaling.models import observation as observation
from bayes_scaling.models import pooling as pooling
from bayes_scaling.models import studies as studies
from bayes_scaling.models.laws import capability as capability
from bayes_scaling.models.laws import capacity as capacity
from bayes_scaling.models.laws import curves as curves
from bayes_scaling.models.laws import experts as experts
from bayes_scaling.models.laws import finetuning as finetuning
from bayes_scaling.models.laws import frontier as frontier
from bayes_scaling.models.laws import inference as inference
from bayes_scaling.models.laws import joint as joint
from bayes_scaling.models.laws import mixtures as mixtures
from bayes_scaling.models.laws import optima as optima
from bayes_scaling.models.laws import power as power
from bayes_scaling.models.laws import precision as precision
from bayes_scaling.models.laws import sampling as sampling
from bayes_scaling.models.laws import scarce as scarce
from bayes_scaling.models.laws import scores as scores
from bayes_scaling.models.laws import shape as shape
from bayes_scaling.models.laws import training as training
from bayes_scaling.models.laws import transfer as transfer
from bayes_scaling.models.laws import trends as trends
