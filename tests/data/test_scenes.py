"""The renderer of rooms: what each factor may change, and geometry against closed forms."""

import colorsys
import math

import numpy as np
import pytest
import torch

from disvae.data import Scenes3D
from disvae.data.raycast import (
    CAPSULE_LENGTH,
    CAPSULE_RADIUS,
    DISTANCE,
    FOCAL_LENGTH,
    HEIGHT,
    HORIZON,
    LAMP,
    ROOM,
    SAMPLES,
    SPHERE_RADIUS,
    WALL,
    Shape,
    Surface,
    camera_rays,
    distance_to,
    normals_of,
    trace,
)
from disvae.data.scenes import HUES, surface_light

GEOMETRIES = 8 * 4 * 15
NAMES = ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation")


def image(*factors: int) -> torch.Tensor:
    data = Scenes3D()
    return data.images(data.space.indices([factors]))[0]


def test_order_and_sizes_are_those_of_3d_shapes() -> None:
    data = Scenes3D()
    assert len(data) == 480_000
    assert data.space.names == NAMES
    assert data.space.sizes == (10, 10, 10, 8, 4, 15)
    starts = [1, 15, 15 * 4, 15 * 4 * 8, 15 * 4 * 8 * 10, 15 * 4 * 8 * 100]
    assert data.factors(starts).tolist() == torch.eye(6).int().flip(0).tolist()


def test_latent_values_are_evenly_spaced_between_the_published_ends() -> None:
    data = Scenes3D()
    ends = data.latent_values([0, 479_999]).tolist()
    assert ends[0] == pytest.approx([0, 0, 0, 0.75, 0, -30])
    assert ends[1] == pytest.approx([0.9, 0.9, 0.9, 1.25, 3, 30])
    for k, size in enumerate(data.space.sizes):
        line = torch.zeros(size, 6, dtype=torch.int64)
        line[:, k] = torch.arange(size)
        steps = data.latent_values(data.space.indices(line))[:, k].diff()
        torch.testing.assert_close(steps, steps[:1].expand_as(steps))


def test_an_item_is_an_image_and_its_factors() -> None:
    data = Scenes3D()
    picture, factors = data[400_000]
    assert picture.shape == (3, 64, 64)
    assert picture.dtype == torch.float32
    assert 0 <= picture.min() < picture.max() <= 1
    assert torch.equal(factors, data.factors([400_000])[0])
    raw = data.images([400_000])
    assert raw.dtype == torch.uint8
    assert torch.equal(raw[0].float() / 255, picture)
    assert torch.equal(data[-1][1], torch.tensor([9, 9, 9, 7, 3, 14]))


def test_bad_indices_are_refused() -> None:
    data = Scenes3D()
    with pytest.raises(IndexError, match="480000"):
        data[480_000]
    for wrong in ([480_000], [-1], [0.5], [[0]]):
        with pytest.raises(ValueError, match="indices"):
            data.images(wrong)


def test_order_and_number_of_indices_change_no_picture() -> None:
    data = Scenes3D()
    indices = torch.randint(len(data), (300,), generator=torch.Generator().manual_seed(0))
    images = data.images(indices)
    assert torch.equal(images.flip(0), data.images(indices.flip(0)))
    assert torch.equal(images[17:18], data.images(indices[17:18]))
    assert data.images([]).shape == (0, 3, 64, 64)


def test_what_was_kept_is_what_would_be_traced_again() -> None:
    kept = surface_light(2, 3, 4)
    assert torch.equal(kept, surface_light.__wrapped__(2, 3, 4))
    before = kept.clone()
    Scenes3D().images([0]).zero_()
    assert torch.equal(surface_light(2, 3, 4), before)


@pytest.mark.parametrize("surface", [Surface.FLOOR, Surface.WALL, Surface.OBJECT])
def test_a_hue_changes_its_surface_and_nothing_else(surface: Surface) -> None:
    shown = surface_light(3, 1, 2)[surface] > 0
    pictures = []
    for hue in range(10):
        factors = [1, 4, 7, 3, 1, 2]
        factors[surface] = hue
        pictures.append(image(*factors))
    changed = torch.stack(pictures).ne(pictures[0]).any(0).any(0)
    assert not (changed & ~shown).any()
    assert (changed & shown).sum() > 0.98 * shown.sum()  # all but slivers of an edge
    whole = surface_light(3, 1, 2)[surface] == surface_light(3, 1, 2).sum(0)
    for hue, picture in enumerate(pictures):
        # Only bright pixels, so that bytes do not round the colour away.
        bright = picture.amax(0).gt(100) & whole
        colour = picture[:, bright] / picture[:, bright].amax(0)
        torch.testing.assert_close(
            colour, (HUES[hue] / 255)[:, None].expand_as(colour), atol=0.01, rtol=0
        )


def test_hues_are_evenly_spaced_on_the_colour_circle() -> None:
    hues = [colorsys.rgb_to_hsv(*colour) for colour in HUES.double().tolist()]
    np.testing.assert_allclose(hues, [(k / 10, 1, 255) for k in range(10)], atol=1e-6)


@pytest.mark.parametrize("shape", list(Shape))
def test_the_object_grows_with_its_scale_and_the_room_stays(shape: Shape) -> None:
    surfaces = [trace(shape, 0.75 + k / 14, 0.0)[0] for k in range(8)]
    sizes = [int((surface == Surface.OBJECT).sum()) for surface in surfaces]
    assert sizes == sorted(set(sizes))
    assert sizes[-1] / sizes[0] == pytest.approx((1.25 / 0.75) ** 2, rel=0.25)  # it comes nearer
    first, last = surfaces[0], surfaces[-1]
    room = (first != Surface.OBJECT) & (last != Surface.OBJECT)
    assert np.array_equal(first[room], last[room])


def test_shapes_are_told_apart_where_they_should_be() -> None:
    outline = {shape: trace(shape, 1.0, 0.0)[0] == Surface.OBJECT for shape in Shape}
    rows = {shape: np.flatnonzero(mask.any(1)) for shape, mask in outline.items()}
    columns = {shape: np.flatnonzero(mask.any(0)) for shape, mask in outline.items()}
    assert rows[Shape.CAPSULE].min() < min(rows[s].min() for s in Shape if s != Shape.CAPSULE)
    assert len(columns[Shape.CAPSULE]) == min(len(columns[shape]) for shape in Shape)
    box = outline[Shape.CUBE][np.ix_(rows[Shape.CUBE], columns[Shape.CUBE])]
    assert box.mean() > 0.99  # from the front a cube is a square


@pytest.mark.parametrize("shape", [Shape.CYLINDER, Shape.SPHERE, Shape.CAPSULE])
def test_turning_moves_the_room_but_not_the_outline_of_round_solids(shape: Shape) -> None:
    straight, turned = (trace(shape, 1.0, angle)[0] for angle in (0.0, -30.0))
    assert ((straight == Surface.OBJECT) != (turned == Surface.OBJECT)).sum() <= 2  # by rounding
    assert ((straight == Surface.SKY) != (turned == Surface.SKY)).mean() > 0.01


def test_turning_shows_a_side_of_the_cube() -> None:
    def steepest(angle: float) -> float:
        surface, brightness = trace(Shape.CUBE, 1.0, angle)
        line = SAMPLES * 45
        return float(np.abs(np.diff(brightness[line][surface[line] == Surface.OBJECT])).max())

    assert steepest(0.0) < 0.01
    assert min(steepest(angle) for angle in (-30.0, -15.0, 15.0, 30.0)) > 0.1


@pytest.mark.parametrize("shape", list(Shape))
@pytest.mark.parametrize("steps", [1, 4, 7])
def test_opposite_orientations_are_mirror_images(shape: Shape, steps: int) -> None:
    left, right = (trace(shape, 1.0, sign * steps * 60 / 14)[0] for sign in (-1, 1))
    assert (left != right[:, ::-1]).sum() <= 4  # rays that graze an edge


def test_the_corner_of_the_room_is_where_trigonometry_puts_it() -> None:
    # The corner (10, 10) seen by a camera that moved 30 degrees clockwise.
    surface, brightness = trace(Shape.SPHERE, 0.75, -30.0)
    angle = math.radians(45 - 30)
    away = math.sqrt(2) * ROOM
    depth = DISTANCE + away * math.cos(angle)
    column = 32 + FOCAL_LENGTH * away * math.sin(angle) / depth
    top, bottom = (HORIZON + FOCAL_LENGTH * (HEIGHT - z) / depth for z in (WALL, 0.0))
    line = brightness[round(SAMPLES * (top + bottom) / 2)]
    darkest = np.abs(np.diff(line))[SAMPLES * 40 :].argmax() + SAMPLES * 40 + 1
    assert darkest / SAMPLES == pytest.approx(column, abs=1 / SAMPLES)
    wall = np.flatnonzero(surface[:, round(SAMPLES * column)] == Surface.WALL)
    assert wall.min() / SAMPLES == pytest.approx(top, abs=1 / SAMPLES)
    assert (wall.max() + 1) / SAMPLES == pytest.approx(bottom, abs=1 / SAMPLES)


def test_the_outline_of_the_sphere_is_its_cone_of_tangents() -> None:
    camera, rays = camera_rays(11.0)
    centre = np.array([0, 0, SPHERE_RADIUS]) - camera
    away = np.linalg.norm(centre)
    cosine = rays @ centre / away
    expected = cosine > math.sqrt(1 - (SPHERE_RADIUS / away) ** 2)
    assert np.array_equal(trace(Shape.SPHERE, 1.0, 11.0)[0] == Surface.OBJECT, expected)


def outside(shape: Shape, points: np.ndarray) -> np.ndarray:
    """Signed distances to the solids (for the cube and the cylinder, positive means outside)."""
    x, y, z = points.T
    if shape == Shape.CUBE:
        return np.max(np.abs([x, y, z - 1]), axis=0) - 1
    if shape == Shape.CYLINDER:
        return np.maximum(np.hypot(x, y), np.abs(z - 1)) - 1
    if shape == Shape.SPHERE:
        return np.linalg.norm(points - [0, 0, SPHERE_RADIUS], axis=1) - SPHERE_RADIUS
    axis = np.clip(z, CAPSULE_RADIUS, CAPSULE_LENGTH - CAPSULE_RADIUS)
    return np.sqrt(x**2 + y**2 + (z - axis) ** 2) - CAPSULE_RADIUS


@pytest.mark.parametrize("shape", list(Shape))
def test_rays_meet_a_solid_where_small_steps_along_them_do(shape: Shape) -> None:
    generator = np.random.default_rng(shape)
    start = generator.normal(size=(300, 3)) * [1, 1, 0] + [0, -6, 1]
    rays = generator.normal(size=(300, 3)) * [0.2, 0.1, 0.2] + [0, 1, 0]
    steps = np.arange(0, 12, 0.004)
    inside = np.array([outside(shape, start + t * rays) < 0 for t in steps])
    walked = np.where(inside.any(0), steps[inside.argmax(0)], np.inf)
    found = distance_to(shape, start, rays)
    agree = np.isclose(found, walked, atol=0.005) | (np.isinf(found) & np.isinf(walked))
    assert agree.sum() >= 298  # a step may jump over a grazing hit
    assert 50 < np.isfinite(found).sum() < 250
    hits = np.isfinite(found)
    points = start[hits] + found[hits, None] * rays[hits]
    np.testing.assert_allclose(outside(shape, points), 0, atol=1e-9)
    normals = normals_of(shape, points)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1)
    assert (outside(shape, points + 1e-4 * normals) > 5e-5).all()
    assert ((normals * rays[hits]).sum(1) < 0).all()


def test_the_shadow_lies_away_from_the_lamp_and_touches_the_object() -> None:
    surface, brightness = trace(Shape.SPHERE, 1.0, 0.0)
    camera, rays = camera_rays(0.0)
    floor = surface == Surface.FLOOR
    points = camera - (camera[2] / rays[floor][:, 2:]) * rays[floor]
    # Where the line from the sphere's centre towards the lamp passes within its radius.
    offsets = points - [0, 0, SPHERE_RADIUS]
    apart = np.linalg.norm(offsets - (offsets @ LAMP)[:, None] * LAMP, axis=1)
    shadow = apart < SPHERE_RADIUS
    assert shadow.any()
    assert brightness[floor][shadow].max() < 0.6 < brightness[floor][~shadow].min()
    assert points[shadow][:, 0].mean() > 0 > points[shadow][:, 1].mean()


def test_every_geometry_differs_from_every_other() -> None:
    data = Scenes3D()
    images = data.images(torch.arange(GEOMETRIES) + GEOMETRIES * 359)  # hues 3, 5, 9
    assert len({picture.numpy().tobytes() for picture in images}) == GEOMETRIES
    # Even in one colour shading tells them apart.
    images = data.images(torch.arange(GEOMETRIES) + GEOMETRIES * 444)
    assert len({picture.numpy().tobytes() for picture in images}) == GEOMETRIES


def test_random_scenes_differ() -> None:
    data = Scenes3D()
    indices = torch.randperm(len(data), generator=torch.Generator().manual_seed(0))[:4000]
    assert len({picture.numpy().tobytes() for picture in data.images(indices)}) == 4000


def test_every_pixel_is_covered_once() -> None:
    surface, brightness = trace(Shape.CAPSULE, 1.25, 30.0)
    assert set(np.unique(surface)) == {int(kind) for kind in Surface}
    assert brightness.min() > 0.1
    assert brightness.max() <= 1
    light = surface_light(7, 3, 14)
    sky = torch.from_numpy(surface == Surface.SKY).double()
    share = sky.unflatten(0, (64, SAMPLES)).unflatten(2, (64, SAMPLES)).mean((1, 3))
    torch.testing.assert_close(light[Surface.SKY], share.float())
    assert light.sum(0).max() <= 1 + 1e-6
