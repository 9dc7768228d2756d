// Inside the sandboxed frame: draws the figure that the page around it hands over, and asks for it when ready.
(function () {
  var LIGHT = "#e3e6ea"; // words on a dark page
  var last = Promise.resolve();

  function themed(figure, isDark) {
    var layout = Object.assign({}, figure.layout);
    delete layout.width;
    delete layout.height;
    layout.autosize = true;
    if (!layout.title && !layout.margin) layout.margin = { t: 24 };
    if (isDark && !layout.paper_bgcolor) {
      layout.paper_bgcolor = layout.plot_bgcolor = "rgba(0,0,0,0)";
      layout.font = Object.assign({ color: LIGHT }, layout.font);
      if (layout.template) layout.template = { layout: { colorway: ((layout.template || {}).layout || {}).colorway } };
    }
    return layout;
  }

  function draw(asked) {
    var figure = JSON.parse(asked.figure);
    return Plotly.react("figure", {
      data: figure.data || [], layout: themed(figure, asked.isDark), frames: figure.frames,
      config: { responsive: true, displaylogo: false, showLink: false, plotlyServerURL: "" },
    });
  }

  addEventListener("message", function (event) {
    if (event.source !== parent || typeof event.data.figure !== "string") return;
    last = last.then(function () { return draw(event.data); }).then(
      function () { parent.postMessage({ drawn: true }, "*"); },
      function (error) { parent.postMessage({ problem: String((error && error.message) || error).slice(0, 300) }, "*"); });
  });
  parent.postMessage({ ready: true }, "*");
})();
