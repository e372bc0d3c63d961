// 列印: only the page itself can ask the browser to print. By its button, or by F9 where there is such a button.
document.addEventListener("click", (event) => {
  if (event.target instanceof Element && event.target.closest(".desk-print")) window.print();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "F9" && !event.repeat && document.querySelector(".desk-print") && !document.querySelector(".q-dialog")) window.print();
});
