// What a page does beside the theme: boxes that scroll can be reached with the keyboard, and paper shows what is folded.
(() => {
  const boxes = "pre, .math-wrapper, .table-wrapper, .attention-explorer";

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

  // Furo opens its lists at the side by the mouse alone.
  const lists = { __navigation: "All pages", __toc: "On this page" };
  for (const label of document.querySelectorAll(".nav-overlay-icon, .toc-overlay-icon")) {
    const box = document.getElementById(label.htmlFor);
    const button = document.createElement("button");
    button.type = "button";
    button.className = label.className;
    button.setAttribute("aria-label", lists[box.id]);
    button.append(...label.childNodes);
    label.replaceWith(button);
    const told = () => button.setAttribute("aria-expanded", box.checked);
    button.addEventListener("click", () => box.click());
    box.addEventListener("change", told);
    told();
  }
  addEventListener("keydown", (event) => {
    const open = event.key === "Escape" && document.querySelector(".sidebar-toggle:checked");
    if (open) open.click();
  });

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
  addEventListener("toggle", reach, true); // of a fold, whose boxes have had no width so far
  addEventListener("hashchange", show);
  reach();
  show();
  addEventListener("load", reach);
})();
