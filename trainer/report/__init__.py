"""What a person looks at: TensorBoard's pictures, report.html, the comparison of runs, the card's numbers."""
