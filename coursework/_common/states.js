for (const panel of document.querySelectorAll('.states[data-axes]')) {
  const figures = [...panel.querySelectorAll('figure[data-state]')];
  const chosen = panel.dataset.start.split(' ').map(Number);
  const show = () => {
    for (const figure of figures) figure.hidden = figure.dataset.state !== chosen.join(' ');
  };
  const controls = document.createElement('div');
  controls.className = 'controls';
  JSON.parse(panel.dataset.axes).forEach(([name, values], axis) => {
    const label = document.createElement('label');
    const slider = document.createElement('input');
    const shown = document.createElement('output');
    Object.assign(slider, {type: 'range', min: 0, max: values.length - 1, step: 1, value: chosen[axis]});
    const move = () => {
      chosen[axis] = Number(slider.value);
      shown.textContent = values[chosen[axis]];
      slider.setAttribute('aria-valuetext', values[chosen[axis]]);
      show();
    };
    slider.addEventListener('input', move);
    label.append(name, slider, shown);
    controls.append(label);
    move();
  });
  panel.prepend(controls);
  panel.classList.add('live');
}
