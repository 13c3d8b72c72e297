// Puts the page together. A section whose data is of an unforeseen shape must not take the others with it.

function preferredTheme() {
  try {
    const kept = localStorage.getItem('sluice-theme');
    if (kept === 'dark' || kept === 'light') return kept;
  } catch {
    // A file opened from disk may have no storage.
  }
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}
function themeButton() {
  const root = document.documentElement;
  const button = el('button', {type: 'button', onclick: () => {
    const next = root.dataset.theme === 'dark' ? 'light' : 'dark';
    root.dataset.theme = next;
    show();
    try {
      localStorage.setItem('sluice-theme', next);
    } catch {
      // Then it lasts until the page is closed.
    }
  }});
  function show() {
    button.textContent = root.dataset.theme === 'dark' ? 'Light' : 'Dark';
    button.setAttribute('aria-label', `Switch to ${button.textContent.toLowerCase()} colours`);
  }
  show();
  return button;
}

function contents(sections) {
  const links = new Map();
  const items = sections.map(node => {
    const link = el('a', {href: `#${node.id}`}, node.dataset.title);
    links.set(node, link);
    return el('li', {}, link);
  });
  const visible = new Set();
  const observer = new IntersectionObserver(entries => {
    for (const entry of entries) {
      if (entry.isIntersecting) visible.add(entry.target);
      else visible.delete(entry.target);
    }
    const first = sections.find(node => visible.has(node));
    for (const [node, link] of links) {
      if (node === first) link.setAttribute('aria-current', 'true');
      else link.removeAttribute('aria-current');
    }
  }, {rootMargin: '-10% 0px -60% 0px'});
  sections.forEach(node => observer.observe(node));
  return [el('a', {class: 'mark', href: '#main'}, 'Sluice report'), el('ol', {}, items)];
}

function build() {
  document.documentElement.dataset.theme = preferredTheme();
  const data = record(JSON.parse(document.getElementById('data').textContent));
  const main = document.getElementById('main');
  const makers = [header, gateSection, evaluationSection, slicesSection, fairnessSection, importanceSection, trainingSection,
    findingsSection, dataSection, lineageSection, provenanceSection, nextSection];
  for (const make of makers) {
    let made = null;
    try {
      made = make(data);
    } catch (error) {
      made = broken(make.name, error);
    }
    if (made) main.append(made);
  }
  document.body.append(tooltip);
  const sections = Array.from(main.querySelectorAll('section'));
  document.getElementById('contents').append(...contents(sections));
  // The place that the address names exists only now, and has its height once the charts are drawn.
  const wanted = sections.find(node => `#${node.id}` === location.hash);
  if (wanted) setTimeout(() => wanted.scrollIntoView(), 100);
  if (!sections.length && !data.run) main.append(el('p', {class: 'soft'}, 'There is nothing to report.'));
}
build();
