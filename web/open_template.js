/** Opens a template of this pack that the page's address names: `?troupe_template=NAME`; `demo.py --serve` prints one. */

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";

const QUERY = "troupe_template";
const PATIENCE = 20_000; // milliseconds until the editor has opened what was open before

/** The folder of the pack, as ComfyUI serves it. */
const pack = new URL(".", import.meta.url).pathname.split("/").at(-2);

async function opened() {
  for (const end = Date.now() + PATIENCE; Date.now() < end; ) {
    if (app.extensionManager?.workflow?.activeWorkflow) return;
    await new Promise((done) => setTimeout(done, 100));
  }
}

async function openTemplate() {
  const address = new URL(location.href);
  const name = address.searchParams.get(QUERY);
  if (!name) return;
  address.searchParams.delete(QUERY);
  history.replaceState(history.state, "", address);
  const answer = await api.fetchApi(`/workflow_templates/${pack}/${encodeURIComponent(name)}.json`);
  if (!answer.ok) {
    console.warn(`Troupe: there is no template '${name}'.`);
    return;
  }
  const workflow = await answer.json();
  await opened();
  await app.loadGraphData(workflow, true, true, name);
}

app.registerExtension({
  name: "Troupe.OpenTemplate",
  setup() {
    openTemplate().catch((error) => console.warn("Troupe: the template could not be opened.", error));
  },
});
