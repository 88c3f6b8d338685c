"""Simulation: whole deployments in memory, with virtual time, around the real engine.

world = World()
ann = world.client("ann")
ann.publish("s1")
world.run_for(SECOND)
assert ann.publishes("s1")

run = simulate(Plan(seed=7, publishers=1, players=2))
"""

from signalreel.simulation.agenda import MINUTE, MS, SECOND
from signalreel.simulation.clients import Client
from signalreel.simulation.liveness import LIVENESS
from signalreel.simulation.plan import FAULTS, Plan
from signalreel.simulation.run import Run, simulate
from signalreel.simulation.sometimes import SOMETIMES
from signalreel.simulation.world import World

__all__ = ("FAULTS", "LIVENESS", "MINUTE", "MS", "SECOND", "SOMETIMES", "Client", "Plan", "Run", "World", "simulate")
