"""A running ComfyUI as tests use it: prompts in; histories, pictures and texts out."""

from pack.scripts.hosting.client import error_of
from pack.scripts.hosting.server import Server
from pack.scripts.showing.workflow import to_prompt


class FailedPrompt(Exception):
    """A prompt that was accepted and then failed. Its text is the failing node's class and message."""


class RealServer(Server):
    """A running ComfyUI, as tests use it. It also finds models in `models` of its base folder."""

    def command(self) -> list[str]:
        config = self.base / "test_paths.yaml"
        kinds = ("ipadapter", "pulid", "checkpoints", "clip_vision", "controlnet", "insightface", "identities")
        folders = [f"  {name}: models/{name}\n" for name in kinds]
        config.write_text("tests:\n" + "".join(folders), encoding="utf-8")
        return [*super().command(), "--extra-model-paths-config", str(config)]

    def post_prompt(self, prompt: dict, workflow: dict | None = None, timeout: float = 300) -> dict:
        """Run an API prompt and return its history. Raises PromptRefused (`.answer`) or FailedPrompt."""
        entry = self.client.wait(self.client.submit(prompt, workflow), timeout)
        error = error_of(entry)
        if error:
            raise FailedPrompt(error)
        return entry

    def free(self) -> None:
        """Have the server let go of its models and of what it kept of earlier prompts, with the next prompt."""
        self.client.post("/free", {"unload_models": True, "free_memory": True})

    def images(self, entry: dict, node_id: str) -> list[bytes]:
        """The picture files that a node put out."""
        return [self.client.file(image) for image in entry["outputs"][node_id]["images"]]

    def texts(self, entry: dict, node_id: str) -> list[str]:
        """The texts that a Preview Any node showed."""
        return list(entry["outputs"][node_id]["text"])

    def object_info(self) -> dict:
        """Every node the server knows."""
        return self.client.object_info()

    def to_api(self, workflow: dict) -> dict:
        """A workflow of the editor as an API prompt."""
        return to_prompt(workflow, self.object_info())
