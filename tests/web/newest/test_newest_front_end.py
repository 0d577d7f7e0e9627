"""What is tried of the canvas in the newest front end, in both renderers; the tests are those of the pinned one."""

from pack.tests.web.test_canvas import (  # noqa: F401
    test_a_drag_draws_a_region_where_the_mouse_was,
    test_a_saved_workflow_opens_with_what_was_drawn,
    test_undo_and_redo_are_the_editors_and_editing_goes_on_after,
)
from pack.tests.web.test_canvas_manners import (  # noqa: F401
    test_a_dropped_photo_is_loaded_connected_and_drawn_on,
    test_inside_a_subgraph_one_press_takes_one_change_back,
    test_the_properties_panel_leaves_the_canvas_as_wide_as_its_node,
)
from pack.tests.web.test_cast_board import (  # noqa: F401
    board,
    test_a_third_photo_on_free_ground_is_a_person_beside_the_others,
    test_inside_a_subgraph_a_drop_is_one_step_and_reaches_the_prompt,
)
