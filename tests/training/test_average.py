import torch
from torch import nn

from eacnet.training.average import Average


def test_the_average_is_the_written_out_sum():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4))
    average = Average(network, decay=0.3)
    expected = {name: value.clone().double() for name, value in network.state_dict().items()}
    for iteration in range(6):
        network(torch.randn(2, 3, 4, 4))
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(torch.randn_like(parameter))
        average.update(iteration)
        decay = min(0.3, (1 + iteration) / (10 + iteration))
        for name, value in network.state_dict().items():
            expected[name] = decay * expected[name] + (1 - decay) * value.double()
    for name, value in average.network.state_dict().items():
        if value.is_floating_point():
            torch.testing.assert_close(value.double(), expected[name], rtol=1e-5, atol=1e-6)
    assert average.network[1].num_batches_tracked == 6
    assert not any(parameter.requires_grad for parameter in average.network.parameters())
