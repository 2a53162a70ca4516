import Foundation
import TarnFoundation

func use(_ error: any Error) -> String { error.localizedDescription }
