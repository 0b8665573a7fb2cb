// Sets the chosen theme before the first paint. "auto" (nothing stored) follows the system.
try {
  const theme = localStorage.getItem("weaver:theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be switched off: the system's theme it is.
}
