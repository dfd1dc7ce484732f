// What a page does beside the theme: boxes that scroll can be reached with the keyboard, and paper shows what is folded.
(() => {
  const boxes = "pre, .formula, .table-wrapper, .attention-explorer";

  function reach() {
    for (const box of document.querySelectorAll(boxes)) {
      const wide = box.scrollWidth > box.clientWidth + 1;
      if (wide && !box.hasAttribute("tabindex")) {
        box.tabIndex = 0;
        box.setAttribute("role", "group");
        box.setAttribute("aria-label", "scrolls sideways");
      } else if (!wide && box.getAttribute("aria-label") === "scrolls sideways") {
        for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
      }
    }
  }

  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const fold of closed) fold.open = true;
  });
  addEventListener("afterprint", () => {
    for (const fold of closed) fold.open = false;
  });

  // A link to a cell whose answer is folded, or that stands in a fold, opens it.
  function show() {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const fold = target && (target.closest("details") || (target.nextElementSibling || target).closest("details.answer"));
    if (fold) fold.open = true;
  }

  addEventListener("resize", reach);
  addEventListener("hashchange", show);
  reach();
  show();
  addEventListener("load", reach);
})();
