// The one import most users need brings columns and expressions along: rows and conditions are made of them. What else
// stands in this room's public face is of products, for those who name it: `TarnStorage`, `TarnTimeline`, `TarnParquet`.
@_exported import TarnColumns
@_exported import TarnExpressions
