  // Makes every court in reach that has not been made: the folded verdicts wait behind three buttons. Votes are kept
  // in the browser's own store where there is one, which a sandboxed frame refuses; then they live as long as the page.
  const KEPT = "attention-course-court";
  const WORDS = { right: "right", half: "half right", wrong: "wrong" };
  const reach = document.currentScript ? document.currentScript.getRootNode() : document;
  for (const scope of new Set([reach, document])) {
    for (const host of scope.querySelectorAll(".attention-court:not([data-open])")) open(host);
  }

  function make(tag, attributes, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  }

  function recall() {
    try {
      const told = JSON.parse(localStorage.getItem(KEPT));
      return Object.fromEntries(Object.entries(told || {}).filter(([, vote]) => Object.hasOwn(WORDS, vote)));
    } catch {
      return {};
    }
  }

  function keep(votes) {
    try {
      localStorage.setItem(KEPT, JSON.stringify(votes));
    } catch {
      // not allowed here: the votes stay on the page
    }
  }

  function open(host) {
    host.dataset.open = "";
    const votes = recall();
    const lessons = [...host.querySelectorAll(".lesson")];
    const cases = lessons.flatMap((lesson) => [...lesson.querySelectorAll("li")].map((card) => prepare(card, lesson)));
    const sum = make("p", { class: "sum", role: "status" });
    const again = make("button", { type: "button" }, "Begin anew");
    const board = make("tbody", {});
    const table = make("table", {},
      make("caption", { hidden: "" }, "Your votes by lesson"),
      make("thead", {}, make("tr", {}, ...["lesson", "claims", "voted", "agree"].map((word) => make("th", { scope: "col" }, word)))),
      board);
    again.addEventListener("click", () => {
      for (const one of cases) delete votes[one.card.id];
      keep({ ...recallOthers(), ...votes });
      for (const one of cases) show(one);
      count();
    });
    host.prepend(make("style", {}, STYLE), make("div", { class: "bench" }, sum, again));
    host.append(make("details", { class: "lesson board" }, make("summary", {}, "Your scoreboard by lesson"), table));
    for (const lesson of lessons) lesson.addEventListener("toggle", () => cases.forEach(reachable));
    for (const one of cases) show(one);
    count();

    function recallOthers() {
      const here = new Set(cases.map((one) => one.card.id));
      return Object.fromEntries(Object.entries(recall()).filter(([name]) => !here.has(name)));
    }

    // ---- a card --------------------------------------------------------------------------------------------------
    function prepare(card, lesson) {
      const fold = card.querySelector("details");
      const words = make("p", { class: "words" }, fold.querySelector("summary").textContent);
      const opened = make("div", { class: "opened" });
      opened.append(...[...fold.childNodes].filter((node) => node.nodeName !== "SUMMARY"));
      const said = make("span", { role: "status" });
      const buttons = Object.entries(WORDS).map(([vote, text]) => {
        const button = make("button", { type: "button", "data-vote": vote }, text);
        button.addEventListener("click", () => {
          if (votes[card.id]) return;
          votes[card.id] = vote;
          keep({ ...recallOthers(), ...votes });
          show(one);
          count();
        });
        return button;
      });
      const group = make("div", { class: "votes", role: "group", "aria-label": "Your vote" }, ...buttons);
      card.replaceChildren(words, group, make("p", {}, said), opened);
      const one = { card, lesson: lesson.dataset.lesson, verdict: card.dataset.verdict, opened, said, buttons };
      return one;
    }

    function show(one) {
      const { card, verdict, opened, said, buttons } = one;
      const vote = votes[card.id];
      opened.hidden = !vote;
      for (const button of buttons) {
        button.setAttribute("aria-pressed", button.dataset.vote === vote);
        if (vote) button.setAttribute("aria-disabled", "true");
        else button.removeAttribute("aria-disabled");
      }
      reachable(one);
      said.parentNode.hidden = !vote;
      said.textContent = !vote ? "" : vote === verdict ? "You agree with the verdict." : `You said ${WORDS[vote]}; the verdict is ${WORDS[verdict]}.`;
    }

    function reachable({ opened }) {  // what scrolls sideways can be scrolled by keyboard
      for (const pre of opened.querySelectorAll("pre")) {
        if (pre.scrollWidth > pre.clientWidth) pre.tabIndex = 0;
      }
    }

    // ---- the scoreboard ------------------------------------------------------------------------------------------
    function count() {
      const row = (name, some) => {
        const voted = some.filter((one) => votes[one.card.id]);
        const agree = voted.filter((one) => votes[one.card.id] === one.verdict);
        const cells = [some.length, voted.length, agree.length];
        board.append(make("tr", {}, make("th", { scope: "row" }, name), ...cells.map((number) => make("td", {}, number))));
        return cells;
      };
      board.replaceChildren();
      for (const lesson of lessons) row(lesson.dataset.lesson, cases.filter((one) => one.lesson === lesson.dataset.lesson));
      const [all, voted, agree] = row("all", cases);
      sum.textContent = voted ? `${voted} of ${all} voted on; ${agree} of your votes agree.` : `${all} claims. Vote first: the verdict opens then.`;
    }
  }
