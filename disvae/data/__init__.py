"""Data sets: images by index, their factors where they are known, and batches of them."""

from disvae.data.array import FactorArray, ImageArray
from disvae.data.batches import BatchSource
from disvae.data.cars3d import Cars3D
from disvae.data.celeba import CelebA
from disvae.data.chairs3d import Chairs3D
from disvae.data.correlated import CorrelatedFactors, factor_information
from disvae.data.dataset import FactorDataset, ImageDataset, to_float
from disvae.data.dsprites import DSprites
from disvae.data.faces3d import Faces3D
from disvae.data.factors import FactorSpace
from disvae.data.few_labels import FewLabels
from disvae.data.groups import Groups, groups_by_factors, groups_by_label
from disvae.data.image_folder import ImageFolder
from disvae.data.load import load
from disvae.data.medmnist import MedMNIST
from disvae.data.mnist import KMNIST, MNIST, FashionMNIST
from disvae.data.mpi3d import MPI3D
from disvae.data.pairs import ChangedFactorPairs, FactorPairs, LabelPairs, Triplets, TupleSource
from disvae.data.reed_sprites import ReedSprites
from disvae.data.scenes import Scenes3D
from disvae.data.shapes3d import Shapes3D
from disvae.data.small_norb import SmallNORB
from disvae.data.splits import Combinations, FactorPart, Part, hold_out, split
from disvae.data.sprites import Sprites
from disvae.data.storage import Stored, StoredFactors, store
from disvae.data.subset import (
    FactorSubset,
    RandomFactorSubset,
    RandomSubset,
    Slice,
    Subset,
    random_subset,
)
from disvae.data.variants import ColorSprites, NoisySprites, ScreamSprites

__all__ = [
    "BatchSource",
    "Cars3D",
    "CelebA",
    "Chairs3D",
    "ChangedFactorPairs",
    "ColorSprites",
    "Combinations",
    "CorrelatedFactors",
    "DSprites",
    "Faces3D",
    "FactorArray",
    "FactorDataset",
    "FactorPairs",
    "FactorPart",
    "FactorSpace",
    "FactorSubset",
    "FashionMNIST",
    "FewLabels",
    "Groups",
    "ImageArray",
    "ImageDataset",
    "ImageFolder",
    "KMNIST",
    "LabelPairs",
    "MNIST",
    "MPI3D",
    "MedMNIST",
    "NoisySprites",
    "Part",
    "RandomFactorSubset",
    "RandomSubset",
    "ReedSprites",
    "Scenes3D",
    "ScreamSprites",
    "Shapes3D",
    "Slice",
    "SmallNORB",
    "Sprites",
    "Stored",
    "StoredFactors",
    "Subset",
    "Triplets",
    "TupleSource",
    "factor_information",
    "groups_by_factors",
    "groups_by_label",
    "hold_out",
    "load",
    "random_subset",
    "split",
    "store",
    "to_float",
]
