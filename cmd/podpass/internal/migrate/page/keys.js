// What a person does: filter, choose, and walk by keyboard.
const [search, cloud, severity, count] = ['search', 'cloud', 'severity', 'count'].map((id) => document.getElementById(id));

function filter() {
  state.visible = matching(search.value.trim(), cloud.value, severity.value);
  Object.assign(state, layout(state.visible));
  area.style.height = state.height * pitch + 'px';
  boxes.forEach((_, c) => {
    if (!state.visible[state.active[c]]) state.active[c] = state.columns[c][0];
    document.querySelector(`#title${c} span`).textContent = state.columns[c].length;
  });
  const all = roots.filter((i) => nodes[i].column === 0).length;
  count.textContent = `${state.columns[0].length} of ${all} credentials`;
  graph.scrollTop = 0;
  choose(state.visible[state.chosen] ? state.chosen : -1);
}

function choose(i) {
  state.chosen = i;
  state.path = i < 0 ? none() : paths([i], state.visible);
  show();
  if (i < 0) return draw();
  boxes.forEach((_, c) => { state.active[c] = state.columns[c].find((j) => state.path[j]) ?? state.active[c]; });
  state.active[nodes[i].column] = i;
  reveal(i);
}

// reveal scrolls to an active node, no further than it has to.
function reveal(i) {
  draw();
  document.getElementById('node' + i).scrollIntoView({ block: 'nearest', inline: 'nearest' });
}

function go(i) {
  if (i === undefined) return;
  const c = nodes[i].column;
  boxes[c].focus({ preventScroll: true });
  state.active[c] = i;
  reveal(i);
}

// entered makes active what is in view of a column that the keyboard comes to.
function entered(c) {
  const column = state.columns[c];
  if (column.length === 0 || !boxes[c].matches(':focus-visible')) return;
  const top = graph.scrollTop / pitch, { row } = nodes[state.active[c]];
  if (row < top - 1 || row > top + graph.clientHeight / pitch) {
    state.active[c] = column[Math.min(firstFrom(column, top), column.length - 1)];
  }
  reveal(state.active[c]);
}

// beside gives where Left or Right lead from a node: along a line, one of the chosen path
// if there is one; without a line to what is on the same height.
function beside(i, links, step) {
  const linked = nodes[i][links].filter((to) => state.visible[to]);
  const column = state.columns[nodes[i].column + step];
  return linked.find((to) => state.path[to]) ?? linked[0] ?? column?.[Math.min(firstFrom(column, nodes[i].row), column.length - 1)];
}

function pressed(event, c) {
  const column = state.columns[c], i = state.active[c];
  if (i === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
  const at = firstFrom(column, nodes[i].row);
  const move = (to) => go(column[Math.min(Math.max(to, 0), column.length - 1)]);
  const page = Math.max(1, Math.floor(graph.clientHeight / pitch) - 2);
  const actions = {
    ArrowUp: () => move(at - 1), ArrowDown: () => move(at + 1),
    PageUp: () => move(at - page), PageDown: () => move(at + page),
    Home: () => move(0), End: () => move(column.length - 1),
    ArrowLeft: () => go(beside(i, 'previous', -1)), ArrowRight: () => go(beside(i, 'next', 1)),
    Enter: () => choose(i), ' ': () => choose(i),
  };
  if (!Object.hasOwn(actions, event.key)) return;
  event.preventDefault();
  actions[event.key]();
}

function start() {
  document.getElementById('app').hidden = false;
  boxes.forEach((box, c) => {
    box.addEventListener('keydown', (event) => pressed(event, c));
    box.addEventListener('focus', () => entered(c));
    box.addEventListener('click', (event) => {
      const e = event.target.closest('[role=option]');
      if (e) choose(Number(e.id.slice(4)));
    });
  });
  details.addEventListener('click', (event) => {
    const button = event.target.closest('button');
    if (!button) return;
    choose(Number(button.dataset.node));
    details.focus({ preventScroll: true });
  });
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    if (event.target === search && search.value) { search.value = ''; filter(); } else choose(-1);
  });
  document.querySelector('form').addEventListener('submit', (event) => event.preventDefault());
  for (const field of [search, cloud, severity]) field.addEventListener('input', filter);
  let waiting = false;
  const redraw = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; draw(); });
  };
  graph.addEventListener('scroll', redraw);
  new ResizeObserver(redraw).observe(graph);
  filter();
  performance.mark('drawn');
}

if (nodes.length > 0) start();
