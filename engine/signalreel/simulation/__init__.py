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
from signalreel.simulation.plan import Plan
from signalreel.simulation.run import Run, simulate
from signalreel.simulation.world import World

__all__ = ("MINUTE", "MS", "SECOND", "Client", "Plan", "Run", "World", "simulate")
