import torch

from train.networks.projector import PatchProjector, at_places, draw_places


def test_places_number_pixels_row_by_row() -> None:
    features = torch.arange(24.0).reshape(1, 2, 3, 4)
    found = at_places(features, torch.tensor([[5, 0]]))
    assert found.tolist() == [[[5, 17], [0, 12]]]


def test_places_lie_inside_the_field_of_view_and_differ() -> None:
    seen = torch.zeros(2, 8, 8, dtype=torch.bool)
    seen[0, :4], seen[1, 4:] = True, True
    (places,) = draw_places([torch.zeros(2, 3, 4, 4)], seen, 8)
    assert sorted(places[0].tolist()) == list(range(8))
    assert sorted(places[1].tolist()) == list(range(8, 16))


def test_a_small_layer_gives_all_it_has() -> None:
    seen = torch.zeros(1, 8, 8, dtype=torch.bool)
    (places,) = draw_places([torch.zeros(1, 3, 2, 2)], seen, 100)
    assert sorted(places[0].tolist()) == [0, 1, 2, 3]


def test_vectors_have_unit_length() -> None:
    projector = PatchProjector([3, 5], width=7)
    features = [torch.rand(2, 3, 4, 4), torch.rand(2, 5, 2, 2)]
    places = [torch.tensor([[0, 3], [1, 2]])] * 2
    vectors = projector(features, places)
    assert [each.shape for each in vectors] == [(2, 2, 7), (2, 2, 7)]
    assert all(torch.allclose(each.norm(dim=-1), torch.ones(2, 2)) for each in vectors)
