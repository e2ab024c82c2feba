"""Bytes that devices exchange, read from compiled programs. See docs/many_devices.md.

Run as ``python benchmarks/communication.py [--families F] [--rows N] [--chains C] [--devices K]``.
Two layouts: chains over devices, which is what `fit` does, and families over devices, which is the
plan for tables that one device cannot hold; the second is a prototype of its gradient alone.
"""

import argparse
import os
import re
from typing import Any

SIZES = {"f64": 8, "f32": 4, "s64": 8, "u32": 4, "s32": 4, "pred": 1, "u64": 8}
COLLECTIVE = re.compile(
    r"= (.+?) (all-reduce|all-gather|collective-permute|all-to-all)(?:-start)?\("
)
ARRAY = re.compile(r"(\w+)\[([\d,]*)\]")


def exchanged(text: str) -> list[tuple[str, int]]:
    """Kind and bytes of every collective that stands in a compiled program."""
    found = []
    for shapes, kind in COLLECTIVE.findall(text):
        total = 0
        for kind_of, dims in ARRAY.findall(shapes):
            count = 1
            for d in filter(None, dims.split(",")):
                count *= int(d)
            total += SIZES.get(kind_of, 8) * count
        found.append((kind, total))
    return found


def chains_over_devices(chains: int) -> list[tuple[str, int]]:
    """The ensemble's round on a small problem: what is exchanged does not depend on the rows."""
    import jax
    import numpy as np

    from bayes_scaling.arguments import make_args
    from bayes_scaling.bench.problems import simulated
    from bayes_scaling.infer.ensemble import compiled_ensemble
    from bayes_scaling.infer.prepare import GROUPS, compiled_prepare
    from bayes_scaling.infer.target import make_target
    from bayes_scaling.resolve import resolve

    runs = simulated(3, 12)
    spec = resolve(runs, "chinchilla")
    args = make_args(runs, spec)
    target = make_target(spec, args)
    prepared = jax.eval_shape(
        compiled_prepare(target, 2, GROUPS), jax.random.key(0), args, np.float64(-1)
    )
    programs = compiled_ensemble(target, chains)
    state = jax.eval_shape(programs.begin, np.int64(0), prepared)
    compiled = programs.advance.lower(state, prepared, True, True).compile()
    return exchanged(compiled.as_text())


def families_over_devices(families: int, rows: int, chains: int) -> list[tuple[str, int]]:
    """One gradient of Chinchilla's law, E, A and B by family, families and their rows sharded."""
    import jax
    import jax.numpy as jnp
    import numpy as np
    from jax.sharding import Mesh, NamedSharding, PartitionSpec

    mesh = Mesh(np.asarray(jax.devices()), ("family",))
    each = rows // families  # the table is kept as (family, row), padded where families differ

    def potential(shared: Any, own: Any, log_n: Any, log_d: Any, log_y: Any) -> Any:
        # shared: exponents, noise, and centre and spread of E, A and B; own (family, 3)
        alpha, beta, sigma = jnp.exp(shared[0]), jnp.exp(shared[1]), jnp.exp(shared[2])
        E, A, B = (jnp.exp(shared[3 + i] + shared[6 + i] * own[:, i, None]) for i in range(3))
        mean = jnp.log(E + A * jnp.exp(-alpha * log_n) + B * jnp.exp(-beta * log_d))
        misfit = jnp.sum(jnp.log1p((log_y - mean) ** 2 / sigma**2 / 6.0))
        return 3.5 * misfit + log_y.size * shared[2] + 0.5 * jnp.sum(own**2)

    gradient = jax.vmap(jax.value_and_grad(potential, argnums=(0, 1)), in_axes=(0, 0, *[None] * 3))
    spec = [PartitionSpec(), PartitionSpec(None, "family"), *[PartitionSpec("family")] * 3]
    shards = [NamedSharding(mesh, s) for s in spec]
    out = (shards[0], (shards[0], shards[1]))
    shapes = [(chains, 9), (chains, families, 3), *[(families, each)] * 3]
    inputs = [jax.ShapeDtypeStruct(s, jnp.float64) for s in shapes]
    program = jax.jit(gradient, in_shardings=tuple(shards), out_shardings=out)
    return exchanged(program.lower(*inputs).compile().as_text())


def main() -> None:
    """Print both layouts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--families", type=int, default=10_000)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--chains", type=int, default=64)
    parser.add_argument("--devices", type=int, default=8)
    asked = parser.parse_args()
    os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={asked.devices}"
    import jax

    with jax.enable_x64(True):
        print("chains over devices, the collectives of one round:")
        print("  ", chains_over_devices(asked.chains))
        print("families over devices, the collectives of one gradient:")
        print("  ", families_over_devices(asked.families, asked.rows, asked.chains))


if __name__ == "__main__":
    main()
