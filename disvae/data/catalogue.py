"""What data sets there are, where their files come from, and how to open them.

Addresses and checksums are those that the publishers or torchvision, medmnist and disent
(https://github.com/nmichlo/disent) give; None stands where none is known.
"""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from disvae.data.cars3d import Cars3D
from disvae.data.celeba import CelebA
from disvae.data.chairs3d import Chairs3D
from disvae.data.dataset import ImageDataset
from disvae.data.download import RemoteFile
from disvae.data.dsprites import DSprites
from disvae.data.faces3d import Faces3D
from disvae.data.files import data_root
from disvae.data.medmnist import MedMNIST, two_dimensional_sets
from disvae.data.mnist import KMNIST, MNIST, FashionMNIST
from disvae.data.mpi3d import MPI3D
from disvae.data.reed_sprites import ReedSprites
from disvae.data.scenes import Scenes3D
from disvae.data.shapes3d import Shapes3D
from disvae.data.small_norb import SmallNORB
from disvae.data.sprites import Sprites
from disvae.data.variants import ColorSprites, NoisySprites, ScreamSprites

Root = str | Path | None


@dataclass(frozen=True)
class Entry:
    """One data set.

    Attributes:
        images: how many, and of what shape.
        known: its factors with their sizes, or its labels.
        licence: as its publishers state it.
        citation: what to cite.
        open: gives the data set, from the folder of the files.
        present: patterns of files below that folder, any of which shows that it is there; none for
            one that needs no file.
        files: what can be downloaded; none where a person has to.
        by_hand: how to get what no program can.
    """

    images: str
    known: str
    licence: str
    citation: str
    open: Callable[[Root], ImageDataset]
    present: tuple[str, ...] = ()
    files: tuple[RemoteFile, ...] = ()
    by_hand: str = ""

    def is_present(self, root: Path) -> bool:
        """Whether its files lie below ``root``, or it needs none."""
        return not self.present or any(
            next(root.glob(pattern), None) is not None for pattern in self.present
        )


def entry(name: str) -> Entry:
    """The data set of that name; capitals do not matter.

    Raises:
        ValueError: there is no such data set; the message names the nearest.
    """
    known = catalogue()
    key = name.lower()
    if key not in known:
        close = get_close_matches(key, known, n=1, cutoff=0.4)
        guess = f"did you mean {close[0]!r}? " if close else ""
        raise ValueError(f"unknown data set {name!r}; {guess}There are {', '.join(known)}")
    return known[key]


def catalogue() -> dict[str, Entry]:
    """All data sets, by name."""
    medical = {name: _medical(name) for name in two_dimensional_sets()}
    return {**PUBLISHED, **medical}


def _idx(folder: str, mirrors: tuple[str, ...], md5s: tuple[str, ...]) -> tuple[RemoteFile, ...]:
    parts = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    names = [f"{part}-ubyte.gz" for part in parts]
    return tuple(
        RemoteFile(f"{folder}/raw/{name}", tuple(mirror + name for mirror in mirrors), md5)
        for name, md5 in zip(names, md5s, strict=True)
    )


def _norb(name: str, md5s: tuple[str, str, str]) -> tuple[RemoteFile, ...]:
    base = "https://cs.nyu.edu/~ylclab/data/norb-v1.0-small/"
    names = [f"{name}-{kind}.mat.gz" for kind in ("dat", "cat", "info")]
    pairs = zip(names, md5s, strict=True)
    return tuple(RemoteFile(f"small_norb/{file}", (base + file,), md5) for file, md5 in pairs)


def _mpi3d(variant: str, file: str, md5: str | None, urls: tuple[str, ...]) -> Entry:
    return Entry(
        "460,800 of 3×64×64" if variant == "complex" else "1,036,800 of 3×64×64",
        "object color, shape and size, camera height, background color, two axes of an arm",
        "CC BY 4.0",
        "Gondal et al. 2019, On the Transfer of Inductive Bias from Simulation to the Real World",
        lambda root: MPI3D(variant, root),
        (f"mpi3d/{file}", file),
        (RemoteFile(f"mpi3d/{file}", urls, md5),) if urls else (),
        "" if urls else "its link is at https://github.com/rr-learning/disentanglement_dataset",
    )


def _mpi3d_urls(file: str) -> tuple[str, ...]:
    return (
        f"https://huggingface.co/datasets/waleedgondal/mpi3d/resolve/main/{file}",
        f"https://storage.googleapis.com/mpi3d_disentanglement_dataset/data/{file}",
    )


def _medical(name: str) -> Entry:
    from medmnist import INFO

    info = INFO[name]
    count = sum(info["n_samples"].values())
    labels = ", ".join(info["label"].values())
    return Entry(
        f"{count:,} of {info['n_channels']}×28×28 (64, 128, 224 too)",
        f"labels: {labels}",
        info["license"],
        "Yang et al. 2023, MedMNIST v2",
        lambda root: MedMNIST(name, root),
        (f"{name}.npz",),
        (RemoteFile(f"{name}.npz", (info["url"],), info["MD5"]),),
    )


_DSPRITES = "dsprites_ndarray_co1sh3sc6or40x32y32_64x64"
_DSPRITES_FILES = (
    RemoteFile(
        f"dsprites/{_DSPRITES}.hdf5",
        (
            f"https://raw.githubusercontent.com/google-deepmind/dsprites-dataset/master/{_DSPRITES}.hdf5",
            f"https://github.com/google-deepmind/dsprites-dataset/raw/master/{_DSPRITES}.hdf5",
        ),
        "b331c4447a651c44bf5e8ae09022e230",
    ),
)
_DSPRITES_PRESENT = (f"dsprites/{_DSPRITES}.*[z5]", f"{_DSPRITES}.*[z5]")
_DSPRITES_FACTORS = "shape 3, scale 6, orientation 40, position x 32, position y 32"
_VARIANTS = "Locatello et al. 2019, Challenging Common Assumptions"

PUBLISHED: dict[str, Entry] = {
    "sprites": Entry(
        "737,280 of 1×64×64, rendered",
        _DSPRITES_FACTORS,
        "MIT, as this library",
        "a rendering of the factors of dSprites",
        lambda root: Sprites(),
    ),
    "scenes3d": Entry(
        "480,000 of 3×64×64, rendered",
        "floor hue 10, wall hue 10, object hue 10, scale 8, shape 4, orientation 15",
        "MIT, as this library",
        "a rendering of the factors of 3D Shapes",
        lambda root: Scenes3D(),
    ),
    "dsprites": Entry(
        "737,280 of 1×64×64",
        _DSPRITES_FACTORS,
        "zlib/libpng",
        "Matthey et al. 2017, dSprites: Disentanglement testing Sprites dataset",
        DSprites,
        _DSPRITES_PRESENT,
        _DSPRITES_FILES,
    ),
    "color_dsprites": Entry(
        "737,280 of 3×64×64",
        _DSPRITES_FACTORS,
        "zlib/libpng",
        _VARIANTS,
        lambda root: ColorSprites(DSprites(root)),
        _DSPRITES_PRESENT,
        _DSPRITES_FILES,
    ),
    "noisy_dsprites": Entry(
        "737,280 of 3×64×64",
        _DSPRITES_FACTORS,
        "zlib/libpng",
        _VARIANTS,
        lambda root: NoisySprites(DSprites(root)),
        _DSPRITES_PRESENT,
        _DSPRITES_FILES,
    ),
    "scream_dsprites": Entry(
        "737,280 of 3×64×64",
        _DSPRITES_FACTORS,
        "zlib/libpng; the picture is in the public domain",
        _VARIANTS,
        lambda root: ScreamSprites(DSprites(root), data_root(root) / "scream/scream.jpg"),
        _DSPRITES_PRESENT,
        (
            *_DSPRITES_FILES,
            RemoteFile(
                "scream/scream.jpg",
                ("https://upload.wikimedia.org/wikipedia/commons/f/f4/The_Scream.jpg",),
            ),
        ),
    ),
    "shapes3d": Entry(
        "480,000 of 3×64×64",
        "floor hue 10, wall hue 10, object hue 10, scale 8, shape 4, orientation 15",
        "Apache 2.0",
        "Burgess and Kim 2018, 3D Shapes Dataset",
        Shapes3D,
        ("3dshapes/3dshapes.h5", "3dshapes.h5"),
        (
            RemoteFile(
                "3dshapes/3dshapes.h5",
                ("https://storage.googleapis.com/3d-shapes/3dshapes.h5",),
                "099a2078d58cec4daad0702c55d06868",
            ),
        ),
    ),
    "cars3d": Entry(
        "17,568 of 3×64×64",
        "elevation 4, azimuth 24, type 183",
        "not stated",
        "Reed et al. 2015, Deep Visual Analogy-Making",
        Cars3D,
        ("data/cars/car_*_mesh.mat", "cars/car_*_mesh.mat", "car_*_mesh.mat"),
        (
            RemoteFile(
                "nips2015-analogy-data.tar.gz",
                ("http://www.scottreed.info/files/nips2015-analogy-data.tar.gz",),
                "4e866a7919c1beedf53964e6f7a23686",
                unpack=True,
            ),
        ),
    ),
    "small_norb": Entry(
        "48,600 of 1×64×64",
        "category 5, instance 10, elevation 9, azimuth 18, lighting 6",
        "for research, not to be sold",
        "LeCun et al. 2004, Learning Methods for Generic Object Recognition",
        SmallNORB,
        ("small_norb/smallnorb-*-dat.mat*", "smallnorb-*-dat.mat*"),
        _norb(
            "smallnorb-5x46789x9x18x6x2x96x96-training",
            (
                "66054832f9accfe74a0f4c36a75bc0a2",
                "23c8b86101fbf0904a000b43d3ed2fd9",
                "51dee1210a742582ff607dfd94e332e3",
            ),
        )
        + _norb(
            "smallnorb-5x01235x9x18x6x2x96x96-testing",
            (
                "e4ad715691ed5a3a5f138751a4ceb071",
                "5aa791cd7e6016cf957ce9bdb93b8603",
                "a9454f3864d7fd4bb3ea7fc3eb84924e",
            ),
        ),
    ),
    # disent's checksum of "toy" is that of an older file of half as many images.
    "mpi3d_toy": _mpi3d("toy", "mpi3d_toy.npz", None, _mpi3d_urls("mpi3d_toy.npz")),
    "mpi3d_realistic": _mpi3d(
        "realistic", "mpi3d_realistic.npz", None, _mpi3d_urls("mpi3d_realistic.npz")
    ),
    "mpi3d_real": _mpi3d("real", "mpi3d_real.npz", None, _mpi3d_urls("mpi3d_real.npz")),
    "mpi3d_complex": _mpi3d("complex", "real3d_complicated_shapes_ordered.npz", None, ()),
    "mnist": Entry(
        "70,000 of 1×28×28",
        "labels: ten digits",
        "CC BY-SA 3.0",
        "LeCun et al. 1998, Gradient-based learning applied to document recognition",
        MNIST,
        ("MNIST/raw/*-images-idx3-ubyte*", "*-images-idx3-ubyte*"),
        _idx(
            "MNIST",
            (
                "https://ossci-datasets.s3.amazonaws.com/mnist/",
                "http://yann.lecun.com/exdb/mnist/",
            ),
            (
                "f68b3c2dcbeaaa9fbdd348bbdeb94873",
                "d53e105ee54ea40749a09fcbcd1e9432",
                "9fb629c4189551a2d022fa330f9573f3",
                "ec29112dd5afa0611ce80d1b7f02629c",
            ),
        ),
    ),
    "fashion_mnist": Entry(
        "70,000 of 1×28×28",
        "labels: ten kinds of clothes",
        "MIT",
        "Xiao et al. 2017, Fashion-MNIST",
        FashionMNIST,
        ("FashionMNIST/raw/*-images-idx3-ubyte*",),
        _idx(
            "FashionMNIST",
            ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
            (
                "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
                "25c81989df183df01b3e8a0aad5dffbe",
                "bef4ecab320f06d8554ea6380940ec79",
                "bb300cfdad3c16e7a12a480ee83cd310",
            ),
        ),
    ),
    "kmnist": Entry(
        "70,000 of 1×28×28",
        "labels: ten characters",
        "CC BY-SA 4.0",
        "Clanuwat et al. 2018, Deep Learning for Classical Japanese Literature",
        KMNIST,
        ("KMNIST/raw/*-images-idx3-ubyte*",),
        _idx(
            "KMNIST",
            ("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
            (
                "bdb82020997e1d708af4cf47b453dcf7",
                "e144d726b3acfaa3e44228e80efcd344",
                "5c965bf0a639b31b8f53240b1b52f4d7",
                "7320c461ea6c1c855c0b718fb2a4b134",
            ),
        ),
    ),
    "celeba": Entry(
        "202,599 of 3×64×64",
        "labels: 40 attributes",
        "for non-commercial research",
        "Liu et al. 2015, Deep Learning Face Attributes in the Wild",
        CelebA,
        ("celeba/list_attr_celeba.txt", "list_attr_celeba.txt"),
        by_hand="its links, to Google Drive, are at http://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
    ),
    "chairs3d": Entry(
        "86,366 of 3×64×64",
        "chair 1,393, elevation 2, azimuth 31",
        "not stated",
        "Aubry et al. 2014, Seeing 3D chairs",
        Chairs3D,
        ("rendered_chairs", "chairs/rendered_chairs"),
        (
            RemoteFile(
                "rendered_chairs.tar",
                ("https://www.di.ens.fr/willow/research/seeing3Dchairs/data/rendered_chairs.tar",),
                unpack=True,
            ),
        ),
    ),
    "faces3d": Entry(
        "127,050 of 1×64×64",
        "identity 50, azimuth 21, elevation 11, lighting 11",
        "the Basel Face Model's: not to be distributed",
        "Paysan et al. 2009; as in Chen et al. 2018",
        Faces3D,
        ("3dfaces/basel_face_renders.*", "basel_face_renders.*"),
        by_hand="render it from the Basel Face Model, whose licence each user has to accept",
    ),
    "reed_sprites": Entry(
        "672 characters in 20 animations, 3×60×60",
        "character 672, action 5, view 4, frame 13",
        "not stated",
        "Reed et al. 2015, Deep Visual Analogy-Making",
        ReedSprites,
        ("data/sprites/sprites_*.mat", "sprites/sprites_*.mat", "sprites_*.mat"),
        (
            RemoteFile(
                "nips2015-analogy-data.tar.gz",
                ("http://www.scottreed.info/files/nips2015-analogy-data.tar.gz",),
                "4e866a7919c1beedf53964e6f7a23686",
                unpack=True,
            ),
        ),
    ),
}
