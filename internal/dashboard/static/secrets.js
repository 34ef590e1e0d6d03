// Values of Secrets are asked for one by one, and hidden again.
export function start() {
  document.addEventListener('click', async (event) => {
    const button = event.target.closest('button[data-secret]');
    if (!button) return;
    const shown = button.parentElement.querySelector('code');
    if (shown) { shown.remove(); button.firstChild.data = 'Show'; return; }
    const body = new URLSearchParams({ container: button.dataset.container, name: button.dataset.name });
    const response = await fetch(button.dataset.secret, { method: 'POST', body }).catch(() => null);
    const value = document.createElement('code');
    value.textContent = response ? await response.text() : 'Probity does not answer.';
    button.before(value, ' ');
    button.firstChild.data = 'Hide';
  });
}
