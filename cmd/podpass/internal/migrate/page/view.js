// What is drawn: only the rows in view, and the lines that cross it.
const graph = document.getElementById('graph');
const area = graph.querySelector('.columns');
const svg = area.querySelector('svg');
const boxes = Array.from({ length: columnCount }, (_, c) => document.getElementById('column' + c));
const details = document.getElementById('details');
const pitch = 3.5 * parseFloat(getComputedStyle(document.documentElement).fontSize); // --row
const above = 5; // rows that are drawn beyond the view, so that scrolling shows no gap
const listed = 50; // of one column in the details
const middle = 2.9 / 3.5 / 2; // of a box in its row, which has a gap of .6rem below it

// What is visible after the filter, where it is, and what is chosen (-1: nothing). Each
// column has one node that is active: the one that the keyboard is at.
const state = { visible: none(), columns: [], height: 0, chosen: -1, path: none(), active: [] };

function element(name, text, ...children) {
  const e = document.createElement(name);
  if (text) e.textContent = text;
  e.append(...children);
  return e;
}

function option(i) {
  const n = nodes[i];
  const e = element('div', '', element('b', n.name), element('span', n.note));
  e.id = 'node' + i;
  e.role = 'option';
  e.title = n.name + '\n' + n.note;
  if (n.severity) e.dataset.severity = n.severity;
  return e;
}

// draw brings the page to the state: options that are there already stay, since a mouse
// may be pressed on one.
function draw() {
  const first = Math.floor(graph.scrollTop / pitch) - above;
  const last = Math.ceil((graph.scrollTop + graph.clientHeight) / pitch) + above;
  const drawn = [];
  boxes.forEach((box, c) => {
    const column = state.columns[c];
    const wanted = column.slice(firstFrom(column, first), firstFrom(column, last));
    drawn.push(...wanted);
    const active = state.active[c];
    if (active !== undefined && !wanted.includes(active)) wanted.push(active); // it can be scrolled to
    reconcile(box, wanted);
    for (const e of box.children) mark(e, c);
    box.setAttribute('aria-activedescendant', active === undefined ? '' : 'node' + active);
  });
  lines(drawn);
}

// firstFrom gives the position of the first node of a column at a row or below it.
function firstFrom(column, row) {
  let low = 0, high = column.length;
  while (low < high) {
    const half = (low + high) >> 1;
    if (nodes[column[half]].row < row) low = half + 1; else high = half;
  }
  return low;
}

function reconcile(box, wanted) {
  const ids = new Set(wanted.map((i) => 'node' + i));
  for (const e of [...box.children]) if (!ids.has(e.id)) e.remove();
  let at = box.firstChild;
  for (const i of wanted) {
    const e = document.getElementById('node' + i) ?? option(i);
    if (e === at) at = at.nextSibling; else box.insertBefore(e, at);
  }
}

function mark(e, c) {
  const i = Number(e.id.slice(4));
  e.style.top = nodes[i].row * pitch + 'px';
  e.classList.toggle('path', state.path[i] === 1);
  e.classList.toggle('active', state.active[c] === i);
  e.ariaSelected = String(state.chosen === i);
  e.ariaSetSize = String(state.columns[c].length);
  e.ariaPosInSet = String(firstFrom(state.columns[c], nodes[i].row) + 1);
}

// lines draws those from and to the nodes in view, and the chosen path over them.
function lines(drawn) {
  const top = graph.scrollTop, height = Math.min(graph.clientHeight - area.offsetTop, state.height * pitch - top);
  svg.style.top = top + 'px';
  svg.style.height = height + 'px';
  const ends = boxes.map((box) => [box.offsetLeft, box.offsetLeft + box.offsetWidth]);
  const y = (i) => (nodes[i].row + middle) * pitch - top;
  // Lines to what is far above or below go to one point there: thousands look like one.
  const near = (v) => Math.min(Math.max(v, -2 * pitch), height + 2 * pitch);
  const curve = (from, to) => {
    const a = near(y(from)), b = near(y(to));
    if (Math.max(a, b) < 0 || Math.min(a, b) > height) return '';
    const left = ends[nodes[from].column][1], right = ends[nodes[to].column][0], turn = (left + right) / 2;
    return `M${left} ${a}C${turn} ${a} ${turn} ${b} ${right} ${b}`;
  };
  const shown = none();
  for (const i of drawn) shown[i] = 1;
  let all = '', chosen = '';
  for (const from of drawn) {
    for (const to of nodes[from].next) if (state.visible[to]) all += curve(from, to);
    for (const to of nodes[from].previous) if (state.visible[to] && !shown[to]) all += curve(to, from);
  }
  state.path.forEach((on, from) => {
    if (on) for (const to of nodes[from].next) if (state.path[to]) chosen += curve(from, to);
  });
  svg.querySelector('.all').setAttribute('d', all);
  svg.querySelector('.chosen').setAttribute('d', chosen);
}

// show fills the details with what is known of the chosen node, and what is on its path.
function show() {
  if (state.chosen < 0) {
    details.replaceChildren(element('p', 'Choose a box to see what is known of it, and what it leads to.'));
    return;
  }
  const n = nodes[state.chosen];
  details.replaceChildren(element('h2', n.name));
  some('dl', n.facts, ([name, text]) => [element('dt', name), element('dd', text)]);
  state.columns.forEach((column, c) => {
    const linked = c === n.column ? [] : column.filter((i) => state.path[i]);
    if (linked.length === 0) return;
    details.append(element('h2', document.getElementById('title' + c).firstChild.data));
    some('ul', linked, (i) => [element('li', '', link(i))]);
  });
  details.scrollTop = 0;
}

// some adds a list of the first of a list to the details, and says how many more there are.
function some(name, list, make) {
  details.append(element(name, '', ...list.slice(0, listed).flatMap(make)));
  if (list.length > listed) details.append(element('p', `and ${list.length - listed} more`));
}

function link(i) {
  const button = element('button', nodes[i].name, element('span', nodes[i].note));
  button.type = 'button';
  button.dataset.node = i;
  return button;
}
