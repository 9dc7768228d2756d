// Runs before the first paint: sets the chosen theme, so that the page never flashes in the other one.
(function () {
  var chosen = null;
  try {
    chosen = localStorage.getItem("outrider.theme");
  } catch {
    // storage may be switched off: the system's setting decides
  }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
