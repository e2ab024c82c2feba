"""Traces kept between processes: used where all is as it was, and nowhere else."""

import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import wraps

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest

import bayes_scaling as bs
from bayes_scaling import _compile_cache, kept_traces
from bayes_scaling._compile_cache import TRACE, VARIABLE
from bayes_scaling._registry import LAWS, OBSERVATIONS, POOLINGS
from bayes_scaling.arguments import make_args
from bayes_scaling.infer.target import make_target
from bayes_scaling.kept_traces import UnnamedError, kept_program, name_of, result_of
from bayes_scaling.powers import with_fast_powers
from bayes_scaling.resolve import resolve
from bayes_scaling.simulation import design
from bayes_scaling.spec import Observation, get_observation, make_law

RUNS = bs.published_runs(embeddings=False)


@pytest.fixture
def traces(tmp_path, monkeypatch):
    """A folder of their own, and keeping on."""
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    monkeypatch.setattr(kept_traces, "ON", True)
    return tmp_path


class Counted:
    """A function that counts how often it is traced."""

    def __init__(self, of=0):
        self.times, self.of = 0, of

    def __call__(self, tree, shift):
        self.times += 1
        return {"sum": jnp.sum(tree["x"]) + shift + self.of, "x": jnp.exp(tree["x"])}


def fresh(*of, what="sums", function=None):
    """A program as a new process makes it, and its function."""
    function = function or Counted(of[0] if of else 0)
    return kept_program(what, function, *of), function


ARGS = ({"x": np.arange(3.0)}, np.float64(1.0))


def values(program, args=ARGS):
    return jax.tree.map(np.asarray, program(*args))


def test_a_kept_trace_is_not_traced_again(traces, x64):
    first, traced = fresh(2)
    found = values(first)
    assert found["sum"] == 6.0
    assert np.allclose(found["x"], np.exp(np.arange(3.0)), rtol=1e-15)
    assert traced.times == 1
    again, untraced = fresh(2)
    same = values(again)
    assert untraced.times == 0
    assert all(np.array_equal(same[k], found[k]) for k in found)
    assert len(list(traces.glob(f"sums-*{TRACE}"))) == 1


def test_shapes_of_a_result_lower_what_is_called(traces, x64):
    """What is compiled ahead for the result of a program is found when that result comes."""
    program, _ = fresh()
    shapes = result_of(program, *ARGS)
    assert shapes["x"].shape == (3,)
    after = jax.jit(lambda found: found["x"] * 2)
    after.lower(shapes).compile()
    found, compiled = program(*ARGS), []
    jax.monitoring.register_event_duration_secs_listener(lambda e, s, **_: compiled.append(e))
    try:
        after(found)
    finally:
        jax.monitoring.clear_event_listeners()
    assert "/jax/core/compile/backend_compile_duration" not in compiled


OTHERS = {
    "of another thing": lambda: fresh(3),
    "another name": lambda: fresh(2, what="means"),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_another_program_has_a_trace_of_its_own(traces, x64, other):
    values(fresh(2)[0])
    program, traced = other()
    values(program)
    assert traced.times == 1


SIGNATURES = {
    "shape": ({"x": np.arange(4.0)}, np.float64(1.0)),
    "kind": ({"x": np.arange(3)}, np.float64(1.0)),
    "precision": ({"x": np.arange(3.0, dtype=np.float32)}, np.float64(1.0)),
    "weak type": ({"x": np.arange(3.0)}, 1.0),
    "tree": ({"x": np.arange(3.0), "y": 1.0}, np.float64(1.0)),
}


@pytest.mark.parametrize("args", SIGNATURES.values(), ids=SIGNATURES)
def test_other_arguments_have_a_trace_of_their_own(traces, x64, args):
    values(fresh(2)[0])
    program, traced = fresh(2)
    values(program, args)
    assert traced.times == 1
    assert values(program)["sum"] == 6.0


def test_settings_and_sources_are_part_of_the_name(traces, monkeypatch):
    there = kept_traces._environment
    plain = there()
    with jax.default_matmul_precision("float32"):
        assert there() != plain
    with jax.enable_x64(True):
        assert there() != plain
    assert there() == plain
    monkeypatch.setattr(kept_traces, "_releases", lambda: "another release")
    assert there() != plain


def test_any_change_of_the_source_is_seen(tmp_path):
    file, more = tmp_path / "law.py", tmp_path / "more.py"
    file.write_text("E = 1.7")
    before = kept_traces._source([file])
    file.write_text("E = 1.8")
    assert kept_traces._source([file]) != before
    file.write_text("E = 1.7")
    assert kept_traces._source([file]) == before
    more.write_text("")
    assert kept_traces._source([file, more]) != before
    with pytest.raises(UnnamedError):
        kept_traces._source([])


def test_every_file_of_the_package_is_looked_at():
    found = {file.name for file in kept_traces._source_files()}
    assert {"kept_traces.py", "prepare.py", "density.py", "joint.py", "observation.py"} <= found


def test_source_that_is_younger_than_what_runs_keeps_nothing(traces, tmp_path, monkeypatch, x64):
    """A file that is edited, as in a notebook beside it, tells nothing of the code in memory."""
    file = tmp_path / "law.py"
    file.write_text("")
    os.utime(file, (0, 0))  # an old date that was copied does not hide it
    monkeypatch.setattr(kept_traces, "_source_files", lambda: (file,))
    monkeypatch.setattr(bs, "_IMPORTED", file.stat().st_ctime - 1.0)
    values(fresh(2)[0])
    assert not list(traces.glob(f"*{TRACE}"))
    monkeypatch.setattr(bs, "_IMPORTED", file.stat().st_ctime + 1.0)
    values(fresh(2)[0])
    assert len(list(traces.glob(f"*{TRACE}"))) == 1


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-1], lambda b: b"", lambda b: b[:40] + b"x" + b[41:]]
)
def test_a_damaged_trace_is_made_anew(traces, x64, damage):
    values(fresh(2)[0])
    (file,) = traces.glob(f"*{TRACE}")
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    program, traced = fresh(2)
    assert values(program)["sum"] == 6.0
    assert traced.times == 1
    values(fresh(2)[0])
    assert kept_traces._read(file) is not None


def test_nothing_is_kept_where_keeping_is_off(traces, monkeypatch, x64):
    monkeypatch.setenv(VARIABLE, "off")
    for _ in range(2):
        program, traced = fresh(2)
        assert values(program)["sum"] == 6.0
        assert traced.times == 1
    assert not list(traces.iterdir())


def test_a_folder_that_cannot_be_written_to_costs_no_second_trace(traces, monkeypatch, x64):
    monkeypatch.setenv(VARIABLE, str(traces / "none"))
    program, traced = fresh(2)
    assert values(program)["sum"] == 6.0
    assert traced.times == 1


def test_nothing_is_traced_in_vain_where_traces_cannot_be_written(traces, monkeypatch, x64):
    monkeypatch.setattr(kept_traces, "_can_serialize", lambda: False)
    program, traced = fresh(2)
    assert values(program)["sum"] == 6.0
    assert traced.times == 1
    assert not list(traces.iterdir())


def test_threads_trace_a_program_once(traces, x64):
    program, traced = fresh(2)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: float(program(*ARGS)["sum"]), range(8)))
    assert found == [6.0] * 8
    assert traced.times == 1


def test_a_program_that_cannot_be_exported_runs_as_before(traces, x64):
    class Own(tuple):
        __slots__ = ()

    jax.tree_util.register_pytree_node(Own, lambda t: (tuple(t), None), lambda _, c: Own(c))
    for _ in range(2):
        program = kept_program("own", lambda x: Own((x, 2 * x)))
        assert np.allclose(program(np.ones(2))[1], 2.0)
    assert not list(traces.glob(f"*{TRACE}"))


def test_a_fault_of_the_function_is_told(traces, x64):
    def wrong(x):
        raise ValueError("no such law")

    with pytest.raises(ValueError, match="no such law"):
        kept_program("wrong", wrong)(1.0)


# --- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("law", [n if "X" not in bs.get_law(n).inputs else f"{n}(N)" for n in LAWS])
def test_every_law_has_a_name(law):
    record = bs.get_law(law)
    spec = resolve(design(record), record)
    assert name_of(spec) == name_of(resolve(design(record), bs.get_law(law)))
    assert f"name='{record.name}'" in name_of(spec)


def test_every_observation_model_and_pooling_has_a_name():
    spec = resolve(RUNS, "chinchilla")
    for name in OBSERVATIONS:
        assert repr(name) in name_of(replace(spec, observation=get_observation(name)))
    for name in POOLINGS:
        assert repr(name) in name_of(replace(spec, pool=(("E", name),)))


DIFFERENT = [
    {"law": "kaplan"},
    {"noise": "normal_log"},
    {"noise_trend": "N"},
    {"priors": {"alpha": "lognormal(0.3, 0.2, 0.46)"}},
    {"priors": {"alpha": 0.34}},
    {"law": bs.law_from_equation("E + A*N**-alpha")},
    {"law": bs.law_from_equation("E + A*D**-alpha")},
]


def test_models_that_differ_have_names_that_differ():
    names = [name_of(resolve(RUNS, **{"law": "chinchilla", **options})) for options in DIFFERENT]
    assert len({name_of(resolve(RUNS, "chinchilla")), *names}) == len(DIFFERENT) + 1


def own_law(N, D, *, E, A, alpha):
    """A function of the user's."""
    return E + A * N**-alpha + 0 * D


def about(function):
    """The function with a term more, which by its own word is still the catalogue's."""

    @wraps(function)
    def more(*inputs, **params):
        return function(*inputs, **params) + 1.0

    return more


def unfinished():
    """A law that needs a function which is not there yet, so that its closure has an empty cell."""

    def law(N, D, *, E, A, alpha):
        return later(N, D, E=E, A=A, alpha=alpha)

    yield law
    later = own_law
    yield law


def test_a_function_of_the_user_s_is_not_looked_into():
    making = unfinished()
    assert not kept_traces._is_known(next(making))
    assert not kept_traces._is_known(next(making))


PARAMS = tuple(bs.Param(n, bs.lognormal(1.0, 0.5, 2.0), n) for n in ("E", "A", "alpha"))
OWN = make_law(own_law, params=PARAMS, equation="E + A*N**-alpha + 0*D")
UNNAMED = {
    "a function of the user's": lambda: resolve(RUNS, OWN),
    "a function about one of ours": lambda: resolve(
        RUNS, replace(bs.get_law("chinchilla"), fn=about(bs.get_law("chinchilla").fn))
    ),
    "a distribution of the user's": lambda: resolve(
        RUNS, "chinchilla", priors={"alpha": dist.Gamma(2.0, 5.0)}
    ),
    "a noise model of the user's": lambda: replace(
        resolve(RUNS, "chinchilla"),
        observation=Observation("own", lambda location, sigma: dist.LogNormal(0, 1)),
    ),
    "ours about one of the user's": lambda: resolve(
        RUNS, replace(bs.get_law("chinchilla"), fn=with_fast_powers(lambda *x, **p: 1.0))
    ),
}


@pytest.mark.parametrize("spec", UNNAMED.values(), ids=UNNAMED)
def test_what_no_text_can_tell_has_no_name(spec):
    with pytest.raises(UnnamedError):
        name_of(spec())


def test_a_target_without_a_name_is_not_kept(traces, x64):
    spec = UNNAMED["a function of the user's"]()
    args = make_args(RUNS, spec)
    target = make_target(spec, args)
    assert target.trace_name == ""
    program = kept_program("density", target.potential, target)
    assert np.isfinite(program(np.zeros(target.dim), args))
    assert not list(traces.glob(f"*{TRACE}"))


# --- a fit ---------------------------------------------------------------------------------------

CHILD = """
import sys
import numpy as np
import bayes_scaling as bs
from bayes_scaling.infer import prepare
if sys.argv[1] == "again":
    def refuse(*_):
        raise AssertionError("traced again")
    prepare._found_from = refuse
rng = np.random.default_rng(0)
N, D = 10 ** rng.uniform(7, 10, 30), 10 ** rng.uniform(9, 12, 30)
L = 1.8 + 400 * N**-0.34 + 900 * D**-0.33
runs = {"N": N, "D": D, "L": L * np.exp(0.01 * rng.normal(size=30))}
fit = bs.fit(runs, progress=False)
print(fit.posterior["A"].values.tobytes().hex()[:4000])
print(bs.forecast(fit, {"N": 1e11, "D": 1e13}).table.to_csv())
chains = {"chains": 8, "draws": 25, "warmup": 25}
print(float(bs.fit(runs, sampler="chees", **chains, progress=False).posterior["A"].mean()))
print(bs.fit_many([runs] * 2, progress=False).table().to_csv())
"""


def test_a_second_process_fits_without_tracing_and_draws_the_same(traces):
    first, again = (
        subprocess.run(
            [sys.executable, "-W", "error", "-c", CHILD, word],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for word in ("first", "again")
    )
    assert first == again
    kept = Counter(file.name.partition("-")[0] for file in traces.glob(f"*{TRACE}"))
    batches = {"batch_prepare", "batch_weigh", "batch_sites"}
    assert set(kept) == {"prepare", "weigh", "start", "advance", *batches}
    compiled = Counter(file.name.split("-")[0] for file in traces.glob("jit_*-cache"))
    assert {name: compiled[f"jit_{name}"] for name in kept} == kept, "compiled twice over"


def test_the_folder_is_held_to_a_size(tmp_path, monkeypatch):
    monkeypatch.setattr(_compile_cache, "LARGEST", 250)
    for age, name in enumerate(["new-trace", "old-cache", "oldest-trace", "theirs.csv"]):
        (tmp_path / name).write_bytes(bytes(100))
        os.utime(tmp_path / name, (1e9 - age, 1e9 - age))
    _compile_cache._make_room.__wrapped__(tmp_path)
    assert {f.name for f in tmp_path.iterdir()} == {"new-trace", "old-cache", "theirs.csv"}
