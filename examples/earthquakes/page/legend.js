import { DEPTHS, magnitudeRadius } from './palette.js';

const MAGNITUDES = [1, 3, 5, 6];

/** Explains the sizes and the colours of the circles. */
export function renderLegend(container) {
  const sizes = document.createElement('div');
  sizes.className = 'sizes';
  sizes.append(title('Magnitude'));
  for (const magnitude of MAGNITUDES) {
    const sample = document.createElement('span');
    const circle = document.createElement('i');
    circle.style.setProperty('--diameter', `${2 * magnitudeRadius(magnitude)}px`);
    sample.append(circle, String(magnitude));
    sizes.append(sample);
  }
  const depths = document.createElement('div');
  depths.className = 'depths';
  depths.append(title('Depth'));
  for (const { name, colour } of DEPTHS) {
    const sample = document.createElement('span');
    const swatch = document.createElement('i');
    swatch.style.setProperty('--colour', `var(${colour})`);
    sample.append(swatch, name);
    depths.append(sample);
  }
  container.append(sizes, depths);
}

function title(text) {
  const heading = document.createElement('em');
  heading.textContent = text;
  return heading;
}
