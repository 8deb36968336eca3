// Names for screen readers: the theme forgets some, and others hide a button's own words.
document.addEventListener("DOMContentLoaded", () => {
  for (const summary of document.querySelectorAll("summary")) {
    if (!summary.textContent.trim()) summary.ariaLabel = "show or hide the pages below";
  }
  for (const button of document.querySelectorAll(".search-button__button")) {
    button.ariaLabel = button.textContent.replace(/\s+/g, " ").trim() || "Search";
  }
  for (const button of document.querySelectorAll(".theme-switch-button")) {
    button.ariaLabel = "Colour mode: Light, Dark or System Settings";
  }
});

// Sphinx puts the list of a package's modules beside its item; a list may hold items only.
document.addEventListener("DOMContentLoaded", () => {
  for (const inner of document.querySelectorAll("ul > ul")) {
    inner.previousElementSibling?.append(inner);
  }
});
