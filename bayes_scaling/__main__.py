"""``python -m bayes_scaling`` is the command ``bayes-scaling``."""

from bayes_scaling.cli import main

raise SystemExit(main())
