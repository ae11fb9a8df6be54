"""A small ray caster: one solid on the floor of a room, and a camera that goes round it.

The solid stands on the origin, z points upwards, and the unit of length is half the edge of the
cube at scale 1. The camera, the room and the solids were fitted to the pictures that the authors of
3D Shapes show of it (``3dshapes.gif`` in their repository).
"""

import math
from enum import IntEnum

import numpy as np
from jaxtyping import Float, UInt8
from numpy.typing import NDArray

# A horizontal camera of 50° of view, at the height of the cube; the horizon lies below the middle.
SIDE = 64  # pixels
SAMPLES = 3  # rays per pixel, along each axis
FOCAL_LENGTH = 68.0  # pixels
HORIZON = 33.2  # pixels from the top
DISTANCE, HEIGHT = 7.0, 2.0  # of the camera from the origin, and above the floor

ROOM = 10.0  # from the origin to each of the four walls
WALL = 6.0  # height of the walls; the sky is above them

LAMP = np.array([-0.36, 0.11, 1.0]) / math.hypot(0.36, 0.11, 1.0)  # direction towards it
AMBIENT, LAMPLIGHT, HEADLIGHT = 0.2, 0.7, 0.8  # the last shines from the camera

SPHERE_RADIUS = 1.15
CAPSULE_RADIUS, CAPSULE_LENGTH = 0.92, 3.7

Vectors = Float[np.ndarray, "*#rays 3"]
Numbers = Float[np.ndarray, "*#rays"]
Interval = tuple[NDArray[np.float64], NDArray[np.float64]]


class Surface(IntEnum):
    """What a ray meets first."""

    FLOOR = 0
    WALL = 1
    OBJECT = 2
    SKY = 3


class Shape(IntEnum):
    """The solids, in the order of 3D Shapes."""

    CUBE = 0
    CYLINDER = 1
    SPHERE = 2
    CAPSULE = 3


def trace(
    shape: int, scale: float, orientation: float
) -> tuple[UInt8[np.ndarray, "side side"], Float[np.ndarray, "side side"]]:
    """The surface that each ray meets, and its brightness there, from 0 to 1 (1 for the sky).

    Args:
        shape: a :class:`Shape`.
        scale: of the solid, in every direction.
        orientation: of the camera in degrees: it moves counter-clockwise, seen from above.
    """
    camera, rays = camera_rays(orientation)
    to_wall = ((np.copysign(ROOM, rays) - camera) / rays)[..., :2].min(-1)
    to_floor = np.where(rays[..., 2] < 0, -camera[2] / rays[..., 2], np.inf)
    to_solid = scale * distance_to(shape, camera / scale, rays)
    distance = np.minimum(np.minimum(to_wall, to_floor), to_solid)
    points = camera + distance[..., None] * rays

    solid, floor = distance == to_solid, distance == to_floor
    sky = (distance == to_wall) & (points[..., 2] > WALL)
    wall = ~(solid | floor | sky)
    surface = np.select([floor, wall, solid], list(Surface)[:3], Surface.SKY).astype(np.uint8)

    normals = np.zeros_like(points)
    normals[floor] = [0, 0, 1]
    normals[wall] = wall_normals(points[wall])
    normals[solid] = normals_of(shape, points[solid] / scale)
    towards_camera = -(normals * rays).sum(-1)
    towards_lamp = (normals @ LAMP).clip(0)
    towards_lamp[floor] *= np.isinf(distance_to(shape, points[floor] / scale, LAMP))  # no shadow
    # The lamp leaves the walls alone, so that those to the left and to the right look the same.
    towards_lamp[wall] = 0
    brightness = AMBIENT + HEADLIGHT * towards_camera + LAMPLIGHT * towards_lamp
    return surface, np.where(sky, 1, brightness.clip(max=1))


def camera_rays(
    orientation: float,
) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "side side 3"]]:
    """Where the camera is, and the unit vectors of its rays: none is parallel to a plane."""
    offsets = (np.arange(SIDE * SAMPLES) + 0.5) / SAMPLES
    right, up = np.meshgrid(offsets - SIDE / 2, HORIZON - offsets)
    rays = np.stack([right, np.full_like(right, FOCAL_LENGTH), up], axis=-1)
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    angle = math.radians(orientation)
    turn = np.array(
        [
            [math.cos(angle), -math.sin(angle), 0],
            [math.sin(angle), math.cos(angle), 0],
            [0, 0, 1],
        ]
    )
    return turn @ [0, -DISTANCE, HEIGHT], rays @ turn.T


def distance_to(shape: int, start: Vectors, rays: Vectors) -> Numbers:
    """How far along each ray a solid of scale 1 begins; infinity where the ray misses it.

    Each solid is convex, or a union of convex ones; a ray is in a convex solid while it is in all
    of the slabs and balls whose intersection the solid is.
    """
    if shape == Shape.CUBE:
        parts = [
            [_slab(start, rays, k, *span) for k, span in enumerate([(-1, 1), (-1, 1), (0, 2)])]
        ]
    elif shape == Shape.CYLINDER:
        parts = [[_pole(start, rays, 1.0), _slab(start, rays, 2, 0, 2)]]
    elif shape == Shape.SPHERE:
        parts = [[_ball(start, rays, SPHERE_RADIUS, SPHERE_RADIUS)]]
    else:
        low, high = CAPSULE_RADIUS, CAPSULE_LENGTH - CAPSULE_RADIUS
        parts = [
            [_ball(start, rays, low, CAPSULE_RADIUS)],
            [_pole(start, rays, CAPSULE_RADIUS), _slab(start, rays, 2, low, high)],
            [_ball(start, rays, high, CAPSULE_RADIUS)],
        ]
    return np.min([_first(part) for part in parts], axis=0)


def normals_of(shape: int, points: Vectors) -> Vectors:
    """Unit vectors that point outwards, at points on a solid of scale 1."""
    x, y, z = np.moveaxis(points, -1, 0)
    if shape == Shape.CUBE:
        across = points - [0, 0, 1]
        face = np.abs(across).argmax(-1)[..., None] == np.arange(3)
        return np.where(face, np.sign(across), 0.0)
    if shape == Shape.CYLINDER:
        side = np.abs(z - 1) < np.hypot(x, y)
        outwards = np.stack([x * side, y * side, np.sign(z - 1) * ~side], axis=-1)
    elif shape == Shape.SPHERE:
        outwards = points - [0, 0, SPHERE_RADIUS]
    else:
        axis = z.clip(CAPSULE_RADIUS, CAPSULE_LENGTH - CAPSULE_RADIUS)
        outwards = np.stack([x, y, z - axis], axis=-1)
    return outwards / np.linalg.norm(outwards, axis=-1, keepdims=True)


def wall_normals(points: Vectors) -> Vectors:
    """Unit vectors that point into the room, at points on its walls."""
    across = np.abs(points[..., :1]) > np.abs(points[..., 1:2])
    return -np.sign(points) * np.concatenate([across, ~across, np.zeros_like(across)], axis=-1)


def _first(intervals: list[Interval]) -> Numbers:
    """Where a ray enters the intersection of some convex solids; infinity where it does not."""
    enter = np.max([start for start, _ in intervals], axis=0)
    leave = np.min([end for _, end in intervals], axis=0)
    return np.where((enter <= leave) & (leave > 0), enter, np.inf)


def _slab(start: Vectors, rays: Vectors, axis: int, low: float, high: float) -> Interval:
    """Where rays enter and leave the space between two planes."""
    ends = [(plane - start[..., axis]) / rays[..., axis] for plane in (low, high)]
    return np.minimum(*ends), np.maximum(*ends)


def _ball(start: Vectors, rays: Vectors, height: float, radius: float) -> Interval:
    """Where rays enter and leave a ball above the origin."""
    return _roots(start - [0, 0, height], rays, radius)


def _pole(start: Vectors, rays: Vectors, radius: float) -> Interval:
    """Where rays enter and leave an endless vertical cylinder around the origin."""
    return _roots(start[..., :2], rays[..., :2], radius)


def _roots(start: NDArray[np.float64], rays: NDArray[np.float64], radius: float) -> Interval:
    """Between which t |start + t·ray| is below the radius; an empty interval if it never is."""
    square, half = (rays**2).sum(-1), (start * rays).sum(-1)
    discriminant = half**2 - square * ((start**2).sum(-1) - radius**2)
    root = np.sqrt(discriminant.clip(0))
    hit = discriminant >= 0
    return (
        np.where(hit, (-half - root) / square, np.inf),
        np.where(hit, (-half + root) / square, -np.inf),
    )
