import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image

from disvae.plots.report.sheets import make_sheet


@pytest.mark.parametrize("channels", [1, 3])
def test_each_image_is_in_its_cell(channels):
    images = torch.rand(2, 3, channels, 4, 5, generator=torch.Generator().manual_seed(0))
    sheet = make_sheet(images)
    assert (sheet.rows, sheet.columns, sheet.height, sheet.width) == (2, 3, 4, 5)
    content = base64.b64decode(sheet.uri.removeprefix("data:image/png;base64,"))
    table = np.array(Image.open(io.BytesIO(content))).reshape(8, 15, channels)
    expected = images.mul(255).round().byte().numpy()
    for row in range(2):
        for column in range(3):
            cell = table[4 * row : 4 * row + 4, 5 * column : 5 * column + 5]
            np.testing.assert_array_equal(cell, expected[row, column].transpose(1, 2, 0))


def test_other_channels_are_refused():
    with pytest.raises(ValueError, match="1 or 3 channels, got 2"):
        make_sheet(torch.rand(1, 1, 2, 4, 4))
