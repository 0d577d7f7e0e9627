"""Files of weights whose numbers cannot be used: refused where they are loaded, by file and tensor."""

import pytest
import torch
from pack.nodes.host.adapters.adapter_model import load_adapter
from pack.nodes.host.adapters.eva_encoder import load_eva
from pack.tests.host.tiny_adapters import tiny_state
from pack.tests.host.tiny_pulid import eva_state
from safetensors.torch import save_file

FAULTS = {
    "not finite": lambda t: t.fill_(float("nan")),
    "holds numbers that are not finite": lambda t: t.index_fill_(0, torch.tensor([1]), float("inf")),
    "sparse": lambda t: t.to_sparse(),
    "a name without numbers": lambda t: t.to("meta"),
}


@pytest.mark.parametrize("said", FAULTS)
@pytest.mark.parametrize("name", ["image_proj.proj.2.weight", "ip_adapter.31.to_v_ip.weight"])
def test_an_unsound_adapter_is_refused_by_file_and_tensor(tmp_path, name, said):
    state = tiny_state("faceid")
    state[name] = FAULTS[said](state[name].clone())
    torch.save(state, tmp_path / "bad.bin")

    with pytest.raises(ValueError, match=f"Troupe: the adapter file 'bad.bin' cannot be used: its {name} .*{said}"):
        load_adapter(tmp_path / "bad.bin", "bad.bin")


def test_an_unsound_safetensors_file_is_refused_too(tmp_path):
    state = {key: value.half() for key, value in tiny_state("faceid").items()}
    state["ip_adapter.1.to_k_ip.weight"][0, 0] = float("-inf")
    save_file(state, tmp_path / "bad.safetensors")

    with pytest.raises(ValueError, match=r"'bad.safetensors' .*its ip_adapter.1.to_k_ip.weight .*not finite"):
        load_adapter(tmp_path / "bad.safetensors", "bad.safetensors")


@pytest.mark.parametrize("said", FAULTS)
def test_an_unsound_encoder_is_refused_by_file_and_tensor(tmp_path, said):
    state = eva_state()
    key = "visual.blocks.3.mlp.w1.weight"
    state[key] = FAULTS[said](state[key].clone())
    torch.save(state, tmp_path / "bad.pt")

    with pytest.raises(ValueError, match=f"Troupe: the file 'bad.pt' .*: its {key.removeprefix('visual.')} .*{said}"):
        load_eva(tmp_path / "bad.pt", "bad.pt")
