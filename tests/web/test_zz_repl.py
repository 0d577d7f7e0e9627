import contextlib, io, os, traceback
from pack.tests.web.board_page import *
from pack.tests.web import board_page as bp
from pack.tests.web import test_cast_board as tcb
def test_repl(page):
    fifo = os.environ["REPL_FIFO"]
    scope = dict(globals(), page=page, board=BoardPage(page), tab=page.tab)
    while True:
        code = open(fifo).read()
        if code.strip() == "quit": break
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            try: exec(code, scope)
            except BaseException: print(traceback.format_exc()[-1500:])
        open(fifo + ".out", "w").write(out.getvalue() + "\n")
