"""What a trained network looks at: feature maps, class activation, occlusion, saliency, and tests of these maps."""
