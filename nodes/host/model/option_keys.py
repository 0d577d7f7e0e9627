"""Where in ComfyUI's transformer options a cast keeps what its parts tell each other during a run."""

RUNS = "troupe_runs"  # of a run: CastPatch.key -> cast_run.CastRun, what that patch holds while it is sampled
RECORDINGS = "troupe_recordings"  # of a run: attention_recorder.RecordingRun of every recorder on the model
STEP = "troupe_step"  # of an evaluation of conditionings: rows.Step, its rows
INPUT = "troupe_input"  # of an evaluation: the latents that ComfyUI evaluates
CONDS = "troupe_conds"  # of an evaluation: the conditionings that STEP is about
STATES = "troupe_states"  # of an evaluation: CastPatch.key -> effect.StepState of each effect, who acts
TERMS = "troupe_terms"  # of a model call: the terms of all patches around it, outermost first
OF_A_CALL = (STEP, CONDS, INPUT, STATES, TERMS)
