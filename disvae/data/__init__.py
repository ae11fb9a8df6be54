"""Data sets: images by index, their factors where they are known, and batches of them."""

from disvae.data.array import FactorArray, ImageArray
from disvae.data.batches import BatchSource
from disvae.data.dataset import FactorDataset, ImageDataset, to_float
from disvae.data.dsprites import DSprites
from disvae.data.factors import FactorSpace
from disvae.data.load import load
from disvae.data.medmnist import MedMNIST
from disvae.data.mnist import MNIST
from disvae.data.scenes import Scenes3D
from disvae.data.sprites import Sprites
from disvae.data.storage import Stored, StoredFactors, store
from disvae.data.subset import RandomFactorSubset, RandomSubset, Slice, random_subset

__all__ = [
    "BatchSource",
    "DSprites",
    "FactorArray",
    "FactorDataset",
    "FactorSpace",
    "ImageArray",
    "ImageDataset",
    "MNIST",
    "MedMNIST",
    "RandomFactorSubset",
    "RandomSubset",
    "Scenes3D",
    "Slice",
    "Sprites",
    "Stored",
    "StoredFactors",
    "load",
    "random_subset",
    "store",
    "to_float",
]
