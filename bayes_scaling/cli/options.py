"""The arguments and options that commands share, each declared once."""

from __future__ import annotations

from typing import Annotated

import typer  # noqa: TID253 - only `main` imports the modules of commands

RunsPath = Annotated[
    str, typer.Argument(metavar="RUNS", help="Table of training runs: CSV, TSV or parquet.")
]
FitPath = Annotated[str, typer.Argument(metavar="FIT", help="File that 'fit' wrote.")]
LawName = Annotated[str | None, typer.Argument(metavar="NAME", help="Law to describe.")]
LawTested = Annotated[
    str | None, typer.Argument(metavar="LAW", help="Name of a law, see 'laws'; or chinchilla.")
]
StudyName = Annotated[
    str | None, typer.Argument(metavar="STUDY|LAW", help="A study, or those of a law; or all.")
]
Tables = Annotated[int, typer.Option("--tables", min=20, help="Number of tables to simulate.")]
Picture = Annotated[
    str | None, typer.Option("--plot", metavar="FILE", help="Also draw a picture (.png, .pdf).")
]
Topic = Annotated[str | None, typer.Option("--topic", help="Only the laws of this topic.")]
Page = Annotated[bool, typer.Option("--page", help="Print all laws as one page of Markdown.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead.")]

Group = Annotated[
    list[str] | None,
    typer.Option("--group", metavar="COL", help="Family column; repeat from outer to inner."),
]
Response = Annotated[
    str | None, typer.Option("--response", metavar="COL", help="Column, or symbol, to predict.")
]
Column = Annotated[
    list[str] | None,
    typer.Option("--column", metavar="N=COL", help="Column of a symbol; 'N=' leaves N out."),
]
Run = Annotated[
    str | None,
    typer.Option("--run", metavar="COL", help="Column of the training run of a checkpoint."),
]
StandardError = Annotated[
    str | None,
    typer.Option("--se", metavar="COL", help="Column of known standard errors of the response."),
]
Trials = Annotated[
    str | None,
    typer.Option("--trials", metavar="COL", help="Column of the number of items of a share."),
]
Where = Annotated[
    list[str] | None,
    typer.Option("--where", metavar="COL=VALUE", help="Keep such rows only; repeat for more."),
]
Unit = Annotated[
    list[str] | None,
    typer.Option("--unit", metavar="N=1e9", help="Factor that turns a column into plain units."),
]

Law = Annotated[
    str | None,
    typer.Option("--law", metavar="LAW", help="Name of a law, see 'laws'."),
]
Equation = Annotated[
    str | None,
    typer.Option("--equation", metavar="TEXT", help="A law of your own, in place of --law."),
]
Input = Annotated[
    list[str] | None,
    typer.Option("--input", metavar="NAME", help="Name in --equation that is a column."),
]
Pool = Annotated[
    list[str] | None,
    typer.Option("--pool", metavar="A=KIND", help="shared, partial or separate; or one for all."),
]
PriorText = Annotated[
    list[str] | None,
    typer.Option("--prior", metavar="A=PRIOR", help="Such as E=lognormal(1.8,1,2.5) or E=0."),
]
Noise = Annotated[
    str | None,
    typer.Option(
        "--noise",
        metavar="NAME",
        help="student_t_log, normal_log, student_t, normal or beta_binomial.",
    ),
]
NoiseByFamily = Annotated[
    bool, typer.Option("--noise-by-family", help="A noise level for each family.")
]
NoiseTrend = Annotated[
    str, typer.Option("--noise-trend", metavar="NAME", help="Noise changes with this covariate.")
]
Sampler = Annotated[
    str, typer.Option("--sampler", metavar="NAME", help="auto, nuts, chees, laplace or svi.")
]
Chains = Annotated[
    int | None, typer.Option("--chains", min=1, max=65536, help="Chains; with auto, of NUTS.")
]
Kept = Annotated[
    int | None,
    typer.Option("--draws", min=10, help="Draws kept of each chain; with auto, of NUTS."),
]
Warmup = Annotated[
    int | None, typer.Option("--warmup", min=10, help="Warm-up of each chain; with auto, of NUTS.")
]
TargetAccept = Annotated[
    float | None,
    typer.Option("--target-accept", min=0.5, max=0.999, help="Higher: smaller steps."),
]
TreeDepth = Annotated[
    int, typer.Option("--max-tree-depth", min=1, max=15, help="Longest path: 2 to this power.")
]
Seed = Annotated[int, typer.Option("--seed", min=0, max=2**31 - 1, help="Same seed, same draws.")]
FitOut = Annotated[str, typer.Option("--out", metavar="FILE", help="Where to save the fit.")]
ReportOut = Annotated[
    str, typer.Option("--out", "-o", metavar="FILE", help="Where to write the page.")
]
Title = Annotated[str, typer.Option("--title", metavar="TEXT", help="Heading of the page.")]
Band = Annotated[
    float, typer.Option("--prob", metavar="P", min=0.001, max=0.999, help="Width of the bands.")
]
Force = Annotated[bool, typer.Option("--force", help="Replace an existing --out.")]

At = Annotated[
    list[str] | None,
    typer.Option("--at", metavar="N=70B,D=1.4T", help="A point; repeat for more."),
]
AtFile = Annotated[
    str | None, typer.Option("--at-file", metavar="FILE", help="Table of points, one a row.")
]
Prob = Annotated[
    list[float] | None,
    typer.Option(
        "--prob", metavar="P", min=0.001, max=0.999, help="Width of a band; default 0.5 and 0.9."
    ),
]
ModelError = Annotated[
    bool,
    typer.Option(
        "--model-error/--no-model-error", help="Have the law's own error in the bands, or not."
    ),
]
By = Annotated[
    str | None,
    typer.Option("--by", metavar="NAME", help="A covariate (default C), 'family' or 'largest'."),
]
Cut = Annotated[
    list[str] | None,
    typer.Option(
        "--cut", metavar="X", help="Share of runs to fit, or a value such as 1B; repeat for more."
    ),
]
Replicates = Annotated[
    int,
    typer.Option(
        "--replicates", min=2, help="Draws of the bootstrap and the martingale posterior."
    ),
]
TableOut = Annotated[
    str | None, typer.Option("--out", metavar="FILE", help="Also write the table as CSV.")
]
Folder = Annotated[str, typer.Option("--out", metavar="DIR", help="Folder for the results.")]

FitPaths = Annotated[
    list[str], typer.Argument(metavar="FIT", help="Files that 'fit' wrote, one or several.")
]
Budgets = Annotated[
    list[str],
    typer.Option("--budget", metavar="C", help="Compute in FLOPs, such as 1e24; repeat for more."),
]
SomeBudgets = Annotated[
    list[str] | None,
    typer.Option("--budget", metavar="C", help="Compute to compare at; repeat for more."),
]
Budget = Annotated[
    str | None, typer.Option("--budget", metavar="C", help="Compute there is, in FLOPs.")
]
Losses = Annotated[
    list[str], typer.Option("--loss", metavar="L", help="Response to reach; repeat for more.")
]
Family = Annotated[
    list[str] | None,
    typer.Option("--family", metavar="NAME", help="A family (default all); repeat for more."),
]
Fixed = Annotated[
    list[str] | None,
    typer.Option("--fixed", metavar="U=100B", help="Another input, or hold N, D or M; repeat."),
]
Limit = Annotated[
    list[str] | None,
    typer.Option("--limit", metavar="D=1T", help="At most so much, or N=1B..70B; of N, D or M."),
]
Served = Annotated[
    str | None,
    typer.Option(
        "--inference-tokens",
        metavar="TOKENS",
        help="To be served at 2 N FLOPs each.",
    ),
]
Off = Annotated[
    list[float] | None,
    typer.Option("--off", metavar="X", help="Cost of X times the size; repeat for more."),
]
WithError = Annotated[
    bool, typer.Option("--model-error", help="Have the law's own error in the bands.")
]
Scale = Annotated[
    str,
    typer.Option("--scale", metavar="NAME", help="Input that grows, of a law without N and D."),
]
Maximise = Annotated[
    bool | None,
    typer.Option(
        "--maximise/--minimise",
        help="Which way is better; known for losses, errors and scores.",
    ),
]
Over = Annotated[
    list[str], typer.Option("--over", metavar="NAME", help="Input to choose; repeat for more.")
]
OnePoint = Annotated[
    str, typer.Option("--at", metavar="N=1B,D=20B", help="The inputs that are given.")
]
Within = Annotated[
    float, typer.Option("--within", metavar="X", help="Share of the best response, of the region.")
]
Bounds = Annotated[
    list[str] | None,
    typer.Option("--bounds", metavar="lr=1e-5..1e-2", help="Range to search; repeat for more."),
]
Weights = Annotated[
    list[str] | None,
    typer.Option("--weight", metavar="FIT=2", help="Weight of a fit in the sum; 1 where silent."),
]
Shares = Annotated[
    list[str] | None,
    typer.Option("--bounds", metavar="web=0.1..0.6", help="Range of a share; repeat for more."),
]
OneFamily = Annotated[
    str | None, typer.Option("--family", metavar="NAME", help="Family of all fits.")
]
Between = Annotated[
    str | None,
    typer.Option("--between", metavar="1e18..1e26", help="Where crossings are searched."),
]

Possible = Annotated[
    str | None,
    typer.Argument(metavar="[CANDIDATES]", help="Table of runs that could be made."),
]
Bounded = Annotated[
    list[str] | None,
    typer.Option("--within", metavar="N=10M..1B", help="A grid in place of a table; repeat."),
]
Steps = Annotated[int, typer.Option("--steps", min=2, help="Values of every --within.")]
Cost = Annotated[
    str, typer.Option("--cost", metavar="COL", help="Column of costs; without it 6 N D.")
]
Spend = Annotated[
    str, typer.Option("--budget", metavar="C", help="What the runs may cost together.")
]
Goal = Annotated[
    str | None,
    typer.Option("--goal", metavar="NAME|C", help="A parameter, or a budget: the best N there."),
]
Batch = Annotated[int | None, typer.Option("--batch", min=1, help="At most so many runs.")]
Repeats = Annotated[int, typer.Option("--repeats", min=1, help="How often one may be run.")]
ErrorIn = Annotated[
    bool,
    typer.Option(
        "--model-error/--no-model-error", help="Whether the law has an error of its own, or not."
    ),
]

LoggedPath = Annotated[str, typer.Argument(metavar="POINTS", help="Table of logged steps of runs.")]
SchedulesPath = Annotated[str, typer.Argument(metavar="SCHEDULES", help="Table of schedules.")]
RunLabel = Annotated[str, typer.Option("--run", metavar="COL", help="Column of the run, in both.")]
StepColumn = Annotated[str, typer.Option("--step", metavar="COL", help="Column of the step.")]
BetweenSteps = Annotated[
    str | None,
    typer.Option("--between", metavar="hold|line", help="The rate between steps listed."),
]
Pieces = Annotated[
    bool, typer.Option("--pieces/--no-pieces", help="Also what 'multi_power' takes, or not.")
]
WithSchedules = Annotated[
    str, typer.Option("--out", metavar="FILE", help="Where to write the table (CSV).")
]

Problems = Annotated[
    list[str] | None,
    typer.Option("--problem", metavar="NAME", help="A problem; repeat for more."),
]
Engines = Annotated[
    list[str] | None,
    typer.Option("--engine", metavar="NAME", help="An engine; repeat for more."),
]
Peers = Annotated[
    str, typer.Option("--peers", metavar="LIST", help="Of numpyro, nutpie, blackjax.")
]
Reference = Annotated[
    bool, typer.Option("--reference", help="Compare with NUTS of 4 x 10,000 draws.")
]
DataFolder = Annotated[
    str | None, typer.Option("--data", metavar="DIR", help="Folder of the data sets.")
]
Repeat = Annotated[int, typer.Option("--repeat", min=1, max=100, help="Calls after the first.")]
BenchOut = Annotated[
    str | None, typer.Option("--out", metavar="FILE", help="Also write FILE (JSON), .md and .png.")
]
