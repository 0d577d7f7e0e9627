"""What is tried of the canvas in the newest front end, in both renderers; the tests are those of the pinned one."""

from pack.tests.web.test_board_in_use import (  # noqa: F401
    test_a_members_region_is_chosen_from_a_list_in_colours,
    test_a_subgraph_has_the_canvas_on_its_face,
    test_after_a_run_the_board_has_the_picture_and_what_was_read_on_it,
    test_an_app_has_the_board_and_gives_it_back,
    test_the_panel_has_the_same_board,
)
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
