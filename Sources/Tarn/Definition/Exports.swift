// The one import most users need brings columns, storage and timeline along: their types stand in this
// room's public face.
@_exported import TarnColumns
@_exported import TarnExpressions
@_exported import TarnStorage
@_exported import TarnTimeline
