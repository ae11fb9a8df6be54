import platform

from disvae.training.memory import keep_freed_memory


def test_takes_effect_with_the_gnu_c_library_and_only_there():
    assert keep_freed_memory() == (platform.libc_ver()[0] == "glibc")
