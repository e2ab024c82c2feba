"""Many tables at once: the same posteriors as one by one, ragged tables, resuming."""

import jax
import numpy as np
import pytest

import bayes_scaling as bs
from bayes_scaling import fitting_many


def table(seed, rows, families=0):
    rng = np.random.default_rng(seed)
    N, D = 10 ** rng.uniform(7, 10, rows), 10 ** rng.uniform(9, 12, rows)
    mean = rng.uniform(1.6, 2.0) + 400 * N**-0.34 + 900 * D**-0.33
    made = {"N": N, "D": D, "L": mean * np.exp(0.01 * rng.normal(size=rows))}
    if families:
        made["family"] = np.arange(rows) % families
    return made


TABLES = [table(i, rows) for i, rows in enumerate((40, 61, 44, 58, 52))]


@pytest.fixture(scope="module")
def many():
    return bs.fit_many(TABLES, progress=False)


def test_posteriors_are_those_of_single_fits(many):
    assert len(many) == len(TABLES)
    for i in (0, 1):
        alone = bs.fit(TABLES[i], progress=False).posterior
        for name in ("E", "alpha", "sigma"):
            a, b = (np.log(np.asarray(p[name])).ravel() for p in (many.posterior(i), alone))
            # 1000 weighed draws, worth at least that many: 4.5 standard errors
            assert abs(a.mean() - b.mean()) < 4.5 * a.std() * np.sqrt(1 / 1000 + 1 / 1000), name
            assert abs(np.log(a.std() / b.std())) < 0.15, name


def test_a_tables_answer_does_not_depend_on_its_company(many):
    first = bs.fit_many(TABLES[:1], progress=False)
    assert np.allclose(first.posterior(0)["E"], many.posterior(0)["E"])


def test_the_table_of_results(many):
    rows = many.table()
    assert len(rows) == 7 * len(TABLES)
    assert (rows["low"] < rows["median"]).all()
    assert (rows["median"] < rows["high"]).all()
    assert set(rows["sampler"]) <= {"laplace", "chees", "nuts"}


def test_pooled_tables_with_families():
    tables = [table(i, 36, families=3) for i in range(2)]
    found = bs.fit_many(tables, "power_law(N)", group="family", progress=False)
    posterior = found.posterior(1)
    assert posterior["A"].dims == ("chain", "draw", "family")
    assert found.results[1].sampler in ("chees", "nuts")


def test_an_interrupted_call_resumes(tmp_path, monkeypatch):
    class Interrupted(Exception):
        pass

    tables = [table(i, 20) for i in range(18)]

    def stop(done, total, phase):
        raise Interrupted

    with pytest.raises(Interrupted):
        bs.fit_many(tables, "power_law(N)", out=tmp_path, progress=stop)
    kept = list(tmp_path.iterdir())
    assert len(kept) == 1
    assert kept[0].suffix == ".npz"
    before = kept[0].read_bytes()
    whole = bs.fit_many(tables, "power_law(N)", out=tmp_path, progress=False)
    assert kept[0].read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 2
    monkeypatch.setattr(fitting_many, "_sampled", None)  # all is there: nothing is sampled
    again = bs.fit_many(tables, "power_law(N)", out=tmp_path, progress=False)
    assert np.array_equal(again.posterior(17)["A"], whole.posterior(17)["A"])


def test_a_damaged_part_is_named(tmp_path):
    bs.fit_many(TABLES[:1], out=tmp_path, progress=False)
    next(tmp_path.iterdir()).write_bytes(b"PK broken")
    with pytest.raises(bs.FitFileError, match="delete it"):
        bs.fit_many(TABLES[:1], out=tmp_path, progress=False)


def test_a_bad_table_is_named_by_its_place():
    bad = {**table(0, 30), "L": np.full(30, -1.0)}
    with pytest.raises(bs.DataError, match=r"^table 1: "):
        bs.fit_many([TABLES[0], bad], progress=False)
    with pytest.raises(bs.DataError, match=r"^table 0: .*3 row"):
        bs.fit_many([table(0, 3)], progress=False)


def test_the_users_precision_is_left_alone(many):
    assert many.posterior(0)["E"].dtype == np.float64
    assert not jax.config.jax_enable_x64
