/** The source view as a part of the page that is loaded when a text file is looked at. */
import "./code.css";

export { SourceView as default } from "./SourceView";
