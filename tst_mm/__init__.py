"""TST for OpenMMLab: teach what the teacher is good at and the student is not.

Importing the package is light: it checks the versions of what is installed, mends what the
installed packages need to work together (`tst_mm.compat`) and makes the registries of scope
``tst_mm`` known. The task libraries (mmpretrain, mmdet, mmsegmentation) and MMRazor are imported
when they are used.
"""

from tst_mm.compat import check_versions, install_mends

check_versions()
install_mends()

from tst_mm import registry  # noqa: E402  (after the mends)
from tst_mm.version import __version__  # noqa: E402

__all__ = ['__version__', 'registry']
